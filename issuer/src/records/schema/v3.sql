-- The office's records, version 3: the tables are version 2's. In the indexes of number, serial and
-- reference, neighbours share the first half: see issuer/records.md. So they are made anew.
CREATE INDEX licences_number ON licences (number_index, id);
CREATE UNIQUE INDEX licences_serial ON licences (serial_index, version) WHERE refused = 0;
CREATE UNIQUE INDEX licences_reference ON licences (reference_index)
    WHERE refused = 0 AND reference_index IS NOT NULL;
