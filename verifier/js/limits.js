// Bounds on what is read, checked before work is done. The numbers are those of spec/limits.md;
// bytes of text are bytes of UTF-8.

export const DEPTH = 32;
export const NAME_BYTES = 128;
export const TEXT_BYTES = 65_536;
export const ARRAY_ITEMS = 65_536;
export const OBJECT_MEMBERS = 1024;
export const MULTIBASE_CHARS = 128;

export const DOSSIER_BYTES = 1_048_576;
export const PACK_BYTES = 8_388_608;
export const EVIDENCE_BYTES = 67_108_864;
export const CREDENTIAL_BYTES = 262_144;
export const EVENT_BYTES = 16_384;
export const LEAF_BYTES = 65_535;
export const RECORD_BYTES = 65_536;
export const POLICY_BYTES = 262_144;

export const ORIGIN_BYTES = 256;
export const ADMINISTRATORS = 16;
export const EVENT_SIGNATURES = 16;
export const KEY_DELAY_MILLIS = 7_776_000_000;
export const GRANT_TYPES = 256;
export const ISSUER_KEYS = 64;
export const LOG_KEYS = 16;
export const PROPOSALS = 16;
export const OPEN_FLAGS = 64;
export const UNIT_HISTORY = 1024;
export const PACK_ISSUERS = 4096;

export const TREE_SIZE = (1n << 62n) - 1n;
export const NOTE_BYTES = 65_536;
export const COSE_BYTES = 4096;
export const NOTE_NAME_BYTES = 255;
export const NOTE_SIGNATURES = 64;
export const VKEY_CHARS = 4096;
export const PROOF_HASHES = 64;
export const PROOF_EXTRA_BYTES = 65_536;
export const TLOG_PROOF_BYTES = 196_608;
export const MAP_PATH = 256;
export const POLICY_PARTIES = 1024;

export const LABEL_BYTES = 1024;
export const FACE_MEMBERS = 256;
export const FACE_TEXT_BYTES = 4096;
export const IDENTIFIER_CHARS = 256;

export const QR_BYTES = 65_536;
export const QR_TEXT_BYTES = 262_144;
export const QR_CODE_CHARS = 4_296;
export const QR_PARTS = 32;
