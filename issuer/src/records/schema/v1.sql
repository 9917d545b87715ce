-- The office's records, version 1. Plain SQL: the same statements run on PostgreSQL with BLOB
-- read as BYTEA. Times are milliseconds since 1970, hashes are 32 bytes.

CREATE TABLE office (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    genesis BLOB NOT NULL
);

CREATE TABLE units (
    uscc TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created INTEGER NOT NULL
);

-- What the office said and what became of it. A row is written with the record it speaks for, in
-- one transaction, before anything is sent.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    event_id BLOB NOT NULL UNIQUE,
    leaf_hash BLOB NOT NULL,
    verb TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'receipted', 'refused')),
    leaf_index INTEGER,
    receipt BLOB,
    refusal_code TEXT,
    refusal_detail TEXT,
    created INTEGER NOT NULL,
    settled INTEGER
);
CREATE INDEX outbox_pending ON outbox (id) WHERE state = 'pending';

-- The subjects whose chain an event continues: its own, and its predecessor's for a new version.
CREATE TABLE outbox_chains (
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    subject BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (subject, seq, outbox)
);

-- The words behind an event's salted digests; without them nobody can say what was meant.
CREATE TABLE salts (
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    words TEXT NOT NULL CHECK (words IN ('reason', 'basis')),
    salt BLOB NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (outbox, words)
);

CREATE TABLE unit_keys (
    public_key TEXT PRIMARY KEY,
    unit TEXT NOT NULL REFERENCES units (uscc),
    key_name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL
);

CREATE TABLE licence_types (
    type_code TEXT NOT NULL,
    version INTEGER NOT NULL,
    slug TEXT NOT NULL,
    digest BLOB NOT NULL,
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    PRIMARY KEY (type_code, version, outbox)
);

CREATE TABLE licences (
    credential_id TEXT PRIMARY KEY,
    subject BLOB NOT NULL UNIQUE,
    unit TEXT NOT NULL REFERENCES units (uscc),
    type_code TEXT NOT NULL,
    licence_number TEXT NOT NULL,
    identifier TEXT NOT NULL,
    serial TEXT NOT NULL,
    version INTEGER NOT NULL,
    holder_code TEXT NOT NULL,
    holder_code_type TEXT NOT NULL,
    holder_name TEXT NOT NULL,
    reference TEXT,
    predecessor TEXT REFERENCES licences (credential_id),
    type_salt BLOB,
    credential BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('issuing', 'issued', 'refused')),
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    created INTEGER NOT NULL
);
CREATE INDEX licences_outbox ON licences (outbox);
CREATE INDEX licences_holder ON licences (holder_code);
CREATE INDEX licences_number ON licences (type_code, unit, licence_number);
CREATE INDEX licences_serial ON licences (type_code, unit, serial);
-- What the ledger refused does not occupy a number.
CREATE UNIQUE INDEX licences_identifier ON licences (identifier) WHERE state <> 'refused';
CREATE UNIQUE INDEX licences_reference ON licences (unit, reference)
    WHERE state <> 'refused' AND reference IS NOT NULL;

CREATE TABLE counters (
    unit TEXT NOT NULL REFERENCES units (uscc),
    type_code TEXT NOT NULL,
    purpose TEXT NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (unit, type_code, purpose, year)
);
