//! Reading a receipt: what another `COSE_Sign1` may say besides, or in another way, is refused.

use super::{
    ALG, CoseError, CoseReceipt, EDDSA, INCLUSION, KID, RFC9162_SHA256, SIGN1, SIZE, VDP, VDS,
};
use crate::log::note::{KeyId, check_name, id_from_hex};
use crate::log::tree::{LeafIndex, PROOF_LIMIT, TreeSize};
use crate::wire::cbor::{CborError, Reader};
use crate::wire::hash::Hash;
use crate::wire::limits;
use crate::wire::signature::Signature;

impl CoseReceipt {
    /// Reads a receipt. Nothing is verified.
    ///
    /// # Errors
    /// Every [`CoseError`] but `BadSignature`, `Key`, `KeyMismatch` and `Tree`.
    pub fn parse(bytes: &[u8]) -> Result<Self, CoseError> {
        if bytes.len() > limits::COSE_BYTES {
            let length = bytes.len();
            return Err(CoseError::SizeLimit { length });
        }
        let mut from = Reader::new(bytes);
        match from.tag("tag") {
            Ok(SIGN1) => {}
            Ok(_) | Err(CborError::Shape { .. }) => return Err(CoseError::Tag),
            Err(error) => return Err(error.into()),
        }
        exactly(from.array("COSE_Sign1")?, 4, "COSE_Sign1")?;
        let protected = Protected::parse(from.bytes(0..=limits::COSE_BYTES, "protected header")?)?;
        let proof = proof(unprotected(&mut from)?)?;
        if from.bytes_next() {
            return Err(CoseError::PayloadAttached);
        }
        from.null("payload")?;
        let signature = Signature(from.exactly("signature")?);
        from.finish()?;
        if proof.size != protected.size {
            return Err(CoseError::SizeDiffers {
                expected: protected.size,
                actual: proof.size,
            });
        }
        Ok(Self {
            origin: protected.origin,
            key_id: protected.key_id,
            size: protected.size,
            index: proof.index,
            hashes: proof.hashes,
            signature,
        })
    }
}

/// What the log signed beside the root.
struct Protected {
    origin: String,
    key_id: KeyId,
    size: TreeSize,
}

impl Protected {
    fn parse(bytes: &[u8]) -> Result<Self, CoseError> {
        const ITEM: &str = "protected header";
        let mut from = Reader::new(bytes);
        let (mut algorithm, mut key, mut structure, mut size) = (None, None, None, None);
        let mut last = None;
        for _ in 0..from.map(ITEM)? {
            let label = from.label(last, ITEM)?;
            last = Some(label);
            match label {
                ALG => algorithm = Some(from.integer("alg")?),
                KID => key = Some(from.bytes(0..=limits::COSE_BYTES, "kid")?),
                VDS => structure = Some(from.integer("vds")?),
                SIZE => size = Some(TreeSize(from.unsigned("size")?)),
                _ => return Err(CoseError::HeaderUnknown { label }),
            }
        }
        from.finish()?;
        let missing = |label| CoseError::HeaderMissing { label };
        match algorithm.ok_or(missing(ALG))? {
            EDDSA => {}
            actual => return Err(CoseError::Algorithm { actual }),
        }
        let (origin, key_id) = named(key.ok_or(missing(KID))?).ok_or(CoseError::Kid)?;
        match structure.ok_or(missing(VDS))? {
            RFC9162_SHA256 => {}
            actual => return Err(CoseError::Vds { actual }),
        }
        let size = size.ok_or(missing(SIZE))?;
        Ok(Self {
            origin: origin.to_owned(),
            key_id,
            size,
        })
    }
}

/// Name and id of a key.
fn named(kid: &[u8]) -> Option<(&str, KeyId)> {
    let (name, hex) = std::str::from_utf8(kid).ok()?.rsplit_once('+')?;
    check_name(name).ok()?;
    Some((name, id_from_hex(hex)?))
}

/// The bytes of the one inclusion proof.
fn unprotected<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], CoseError> {
    const ITEM: &str = "unprotected header";
    let mut found = None;
    let mut last = None;
    for _ in 0..from.map(ITEM)? {
        let label = from.label(last, ITEM)?;
        last = Some(label);
        if label != VDP {
            return Err(CoseError::HeaderUnknown { label });
        }
        let mut kind = None;
        for _ in 0..from.map("vdp")? {
            let label = from.label(kind, "vdp")?;
            kind = Some(label);
            if label != INCLUSION {
                return Err(CoseError::ProofKind { label });
            }
            match from.array("inclusion proofs")? {
                1 => {}
                actual => return Err(CoseError::ProofCount { actual }),
            }
            found = Some(from.bytes(0..=limits::COSE_BYTES, "inclusion proof")?);
        }
    }
    match (found, last) {
        (Some(found), _) => Ok(found),
        (None, None) => Err(CoseError::HeaderMissing { label: VDP }),
        (None, Some(_)) => Err(CoseError::ProofCount { actual: 0 }),
    }
}

/// An inclusion proof (RFC 9942 §5.2).
struct Proof {
    size: TreeSize,
    index: LeafIndex,
    hashes: Vec<Hash>,
}

fn proof(bytes: &[u8]) -> Result<Proof, CoseError> {
    let mut from = Reader::new(bytes);
    exactly(from.array("inclusion proof")?, 3, "inclusion proof")?;
    let size = TreeSize(from.unsigned("tree-size")?);
    let index = LeafIndex(from.unsigned("leaf-index")?);
    let count = from.array("inclusion-path")?;
    if count == 0 {
        return Err(CoseError::PathEmpty);
    }
    if usize::try_from(count).map_or(true, |count| count > PROOF_LIMIT) {
        return Err(CoseError::ProofLimit);
    }
    let mut hashes = Vec::new();
    for _ in 0..count {
        hashes.push(Hash(from.exactly("inclusion-path")?));
    }
    from.finish()?;
    Ok(Proof {
        size,
        index,
        hashes,
    })
}

fn exactly(actual: u64, expected: u64, item: &'static str) -> Result<(), CborError> {
    if actual == expected {
        Ok(())
    } else {
        Err(CborError::Shape { item })
    }
}
