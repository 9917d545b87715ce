-- The office's records, version 2. What names or numbers a person is sealed: see issuer/records.md.
-- Plain SQL: the same statements run on PostgreSQL with BLOB read as BYTEA and INTEGER as BIGINT.
-- Times are milliseconds since 1970. A `*_index` is a blind index of 16 bytes.
-- `office`, `units`, `unit_keys` and `counters` are version 1's.

-- The versions of the key whose cells may be here; the highest is in use.
CREATE TABLE vault_keys (
    version INTEGER PRIMARY KEY,
    check_value BLOB NOT NULL,
    index_root BLOB NOT NULL
);

-- How far the cells of each table are sealed anew. No rows: nothing is under way.
CREATE TABLE rotations (
    table_name TEXT PRIMARY KEY,
    after INTEGER NOT NULL,
    done INTEGER NOT NULL CHECK (done IN (0, 1))
);

-- Who acts for the office.
CREATE TABLE operators (
    id INTEGER PRIMARY KEY,
    name_index BLOB NOT NULL UNIQUE,
    name BLOB NOT NULL,
    created INTEGER NOT NULL
);

-- What the office said. A row is written with the record it speaks for, in one transaction, before
-- anything is sent. Each is in one of three places: pending, refused, or receipts (its own, or a
-- batch's).
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    verb TEXT NOT NULL,
    operator INTEGER REFERENCES operators (id),
    created INTEGER NOT NULL
);

CREATE TABLE outbox_pending (
    outbox INTEGER PRIMARY KEY REFERENCES outbox (id)
);

CREATE TABLE outbox_refused (
    outbox INTEGER PRIMARY KEY REFERENCES outbox (id),
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    settled INTEGER NOT NULL
);

-- The subjects whose chain an event continues: its own, and its predecessor's for a new version.
CREATE TABLE outbox_chains (
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    subject BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (subject, seq, outbox)
);

-- Receipts that came together differ in a few hundred bytes: the rest is kept once.
CREATE TABLE receipt_templates (
    id INTEGER PRIMARY KEY,
    template BLOB NOT NULL
);

CREATE TABLE receipts (
    outbox INTEGER PRIMARY KEY REFERENCES outbox (id),
    leaf_index INTEGER NOT NULL,
    template INTEGER NOT NULL REFERENCES receipt_templates (id),
    -- Whether the event comes first, which is not repeated here.
    with_event INTEGER NOT NULL CHECK (with_event IN (0, 1)),
    -- Bytes of the template before and after `middle`.
    head_bytes INTEGER NOT NULL,
    tail_bytes INTEGER NOT NULL,
    middle BLOB NOT NULL,
    settled INTEGER NOT NULL
);

-- Receipts of rows that were one batch and are neighbours in the log: `receipts` is what they share
-- (spec/dossier.md), `leaves` the hashes of their leaves, 32 bytes each.
CREATE TABLE receipt_batches (
    first_outbox INTEGER PRIMARY KEY REFERENCES outbox (id),
    last_outbox INTEGER NOT NULL,
    receipts BLOB NOT NULL,
    leaves BLOB NOT NULL,
    settled INTEGER NOT NULL
);

-- The words behind an event's salted digests, and the salts; without them nobody can say what was
-- meant. Sealed.
CREATE TABLE grounds (
    outbox INTEGER PRIMARY KEY REFERENCES outbox (id),
    event_id BLOB NOT NULL UNIQUE,
    words BLOB NOT NULL
);

CREATE TABLE licence_types (
    type_code TEXT NOT NULL,
    version INTEGER NOT NULL,
    slug TEXT NOT NULL,
    digest BLOB NOT NULL,
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    PRIMARY KEY (type_code, version, outbox)
);

-- One row a holder. `person` is code and latest name, sealed.
CREATE TABLE holders (
    id INTEGER PRIMARY KEY,
    code_type TEXT NOT NULL,
    code_index BLOB NOT NULL,
    name_index BLOB NOT NULL,
    person BLOB NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (code_index, code_type)
);
CREATE INDEX holders_name ON holders (name_index);

-- A licence has the number of the outbox row that issues it. `face` is identifier, number,
-- credential id, serial, reference and holder, sealed. Type, unit and serial are one index: with
-- the version they are the identifier.
CREATE TABLE licences (
    id INTEGER PRIMARY KEY REFERENCES outbox (id),
    subject BLOB NOT NULL,
    unit TEXT NOT NULL REFERENCES units (uscc),
    type_code TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('new', 'legacy')),
    version INTEGER NOT NULL,
    holder INTEGER NOT NULL REFERENCES holders (id),
    predecessor INTEGER REFERENCES licences (id),
    number_index BLOB NOT NULL,
    serial_index BLOB NOT NULL,
    reference_index BLOB,
    face BLOB NOT NULL,
    refused INTEGER NOT NULL CHECK (refused IN (0, 1)),
    created INTEGER NOT NULL
);
CREATE INDEX licences_holder ON licences (holder, id);
CREATE INDEX licences_number ON licences (number_index, id);
CREATE INDEX licences_refused ON licences (id) WHERE refused = 1;
-- What the ledger refused does not occupy a number.
CREATE UNIQUE INDEX licences_serial ON licences (serial_index, version) WHERE refused = 0;
CREATE UNIQUE INDEX licences_reference ON licences (reference_index)
    WHERE refused = 0 AND reference_index IS NOT NULL;

-- The credential's exact bytes, sealed; apart, because lists do not need them.
CREATE TABLE credentials (
    licence INTEGER PRIMARY KEY REFERENCES licences (id),
    credential BLOB NOT NULL
);

-- Whatever an act rests on. The name is a keyed hash of the content.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    name BLOB NOT NULL UNIQUE,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    content BLOB NOT NULL,
    created INTEGER NOT NULL
);

-- Issuing in bulk: a job can be taken up again where it stopped. `source` is the digest of the
-- file. A row has the number it has in the file.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    source BLOB NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'abandoned')),
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL
);
CREATE INDEX jobs_source ON jobs (source);

CREATE TABLE job_rows (
    job INTEGER NOT NULL REFERENCES jobs (id),
    row_number INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    licence INTEGER REFERENCES licences (id),
    PRIMARY KEY (job, row_number)
);

-- Who may ask the office over the network: the hash of a secret that only its holder has.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    secret_hash BLOB NOT NULL,
    scopes TEXT NOT NULL,
    unit TEXT REFERENCES units (uscc),
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER
);
