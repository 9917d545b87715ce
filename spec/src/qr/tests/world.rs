//! A signed dossier of any size, made from a seed.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::credential::{FaceValue, Issuer, Licence, Status, Subject, Unsigned};
use crate::file::{Dossier, EmbeddedCredential, Head, LogProof, Placed};
use crate::id::{HolderCodeType, LicenceIdentifier, LicenceTypeCode, Uscc};
use crate::life::data::TypeRef;
use crate::life::leaf::Epoch;
use crate::life::record::{LicenceRecord, State};
use crate::life::subject::{Kind, subject_key};
use crate::log::checkpoint::Checkpoint;
use crate::log::cosignature::{UnixSeconds, cosign};
use crate::log::note::NoteSigner;
use crate::log::tlog_proof::TlogProof;
use crate::log::tree::{LeafIndex, TreeSize, root_from_inclusion};
use crate::map::{MapPath, root_from_path};
use crate::wire::{Date, Hash, SecretKey, UnixMillis};

pub(super) const ORIGIN: &str = "zhao.example/changzhou";
const TYPE: &str = "11100000MB0143028R001";
const UNIT: &str = "11320400DEM000014W";
const HOLDER: &str = "91320400DEM000014L";

pub(super) struct World {
    random: ChaCha20Rng,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    pub(super) fn number(&mut self, below: u64) -> u64 {
        self.random.next_u64() % below
    }

    pub(super) fn hash(&mut self) -> Hash {
        let mut hash = Hash([0; 32]);
        self.random.fill_bytes(&mut hash.0);
        hash
    }

    fn secret(&mut self) -> SecretKey {
        SecretKey::from_seed(self.hash().0)
    }

    /// Characters of the block of unified ideographs, U+4E00 to U+9FFF, all alike.
    pub(super) fn hanzi(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from_u32(0x4e00 + u32::try_from(self.number(0x5200)).unwrap()).unwrap())
            .collect()
    }

    pub(super) fn face(&mut self, claims: usize, hanzi: usize) -> BTreeMap<String, FaceValue> {
        (1..=claims)
            .map(|n| (format!("claim{n:02}"), FaceValue::Text(self.hanzi(hanzi))))
            .collect()
    }

    pub(super) fn claims(&mut self, face_data: BTreeMap<String, FaceValue>) -> Unsigned {
        let serial = format!("2026{:07}", self.number(10_000_000));
        let type_code = LicenceTypeCode::parse(TYPE).unwrap();
        let unit = Uscc::parse(UNIT).unwrap();
        let mut id = self.hash().0[..16].to_vec();
        id[6] = 0x40 | (id[6] & 0x0f);
        id[8] = 0x80 | (id[8] & 0x3f);
        let hex = crate::wire::vectors::hex(&id);
        let (a, b, c, d, e) = (
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        );
        Unsigned {
            id: format!("urn:uuid:{a}-{b}-{c}-{d}-{e}"),
            issuer: Issuer {
                name: "常州市示例市场监督管理局".to_owned(),
                unit: unit.clone(),
            },
            status: Status {
                origin: ORIGIN.to_owned(),
                type_salt: None,
            },
            subject: Subject {
                catalogue_version: 1,
                face_data,
                holder_code: HOLDER.to_owned(),
                holder_code_type: HolderCodeType::USCC,
                holder_name: format!("常州{}有限公司", self.hanzi(4)),
                issued_date: Date::new(2026, 3, 2).unwrap(),
                issuing_authority_code: unit.clone(),
                issuing_authority_name: "常州市示例市场监督管理局".to_owned(),
                licence_identifier: LicenceIdentifier::new(type_code.clone(), unit, &serial, 1)
                    .unwrap(),
                licence_name: "营业执照".to_owned(),
                licence_number: format!("JY{serial}"),
                licence_type_code: type_code,
            },
            valid_from: UnixMillis::parse("2026-03-01T16:00:00.000Z").unwrap(),
            valid_until: Some(UnixMillis::parse("2031-03-01T16:00:00.000Z").unwrap()),
        }
    }

    /// A dossier of such a licence. `depths` gives the branchings of the map path above the
    /// licence's key; the log has `size` leaves, `subjects` keys.
    pub(super) fn dossier(
        &mut self,
        claims: &Unsigned,
        depths: Vec<u8>,
        size: u64,
        subjects: u64,
    ) -> Dossier {
        let issued = 1_772_413_200_000 + self.number(86_400_000);
        let key = self.secret();
        let bytes = claims.sign(&key, UnixMillis(issued)).unwrap();
        let licence = Licence::parse(&bytes).unwrap();
        let unit = subject_key(ORIGIN, Kind::Issuer, UNIT);
        let index = LeafIndex(self.number(size - 1));
        let thumbprint = key.public().thumbprint();
        let record = LicenceRecord {
            controller: unit,
            effective: UnixMillis(issued),
            enterprise: Some(subject_key(ORIGIN, Kind::Enterprise, HOLDER)),
            index,
            inspection: None,
            issued_by: thumbprint,
            issued_index: index,
            issuer: unit,
            latest: self.hash(),
            latest_by: thumbprint,
            mortgages: vec![],
            objections: vec![],
            pledges: vec![],
            predecessor: None,
            reaffirmed: None,
            recorded: UnixMillis(issued + 1 + self.number(2_000)),
            seq: 0,
            state: State::Active,
            successor: None,
            suspensions: vec![],
            type_ref: TypeRef::Code(TYPE.to_owned()),
            vc: licence.digest(),
        };
        let hashes = depths.iter().map(|_| self.hash()).collect();
        let path = MapPath {
            depths,
            hashes,
            terminal: None,
        };
        let placed = Placed { path, record };
        let subject = subject_key(ORIGIN, Kind::Licence, &claims.id);
        let map_root = root_from_path(&subject, &placed.record_hash(), &placed.path).unwrap();
        let time = issued + self.number(7 * 86_400_000);
        let head = self.head(map_root, size, subjects, time);
        Dossier {
            authorities: None,
            credential: EmbeddedCredential::parse(&bytes).unwrap(),
            head,
            placed,
        }
    }

    fn head(&mut self, map_root: Hash, size: u64, subjects: u64, time: u64) -> Head {
        let index = LeafIndex(size - 1);
        let epoch = Epoch {
            epoch: 1 + self.number(20_000),
            index,
            map_root,
            previous: Some(LeafIndex(index.0 - 1 - self.number(index.0.min(1_000)))),
            subjects,
            time: UnixMillis(time),
        };
        let path: Vec<Hash> = (0..index.0.count_ones()).map(|_| self.hash()).collect();
        let root = root_from_inclusion(index, TreeSize(size), &epoch.leaf_hash(), &path).unwrap();
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: TreeSize(size),
            root,
        };
        let mut note = checkpoint.to_note().unwrap();
        note.sign(&NoteSigner::new(ORIGIN, self.secret()).unwrap())
            .unwrap();
        for name in ["witness.example/changzhou", "auditor.example/jiangsu"] {
            let seconds = UnixSeconds(time / 1_000 + 1 + self.number(5));
            let line = cosign(&self.secret(), name, seconds, &checkpoint.body()).unwrap();
            note.add(line).unwrap();
        }
        let proof = TlogProof {
            index,
            hashes: path,
            extra: None,
            checkpoint: note.format(),
        };
        Head {
            epoch,
            proof: LogProof::new(proof).unwrap(),
        }
    }
}
