CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows are never deleted: an id is used up for good.
CREATE TABLE orders (
    id BLOB PRIMARY KEY,
    label TEXT NOT NULL,
    callee BLOB NOT NULL,
    data BLOB NOT NULL,
    value BLOB NOT NULL,
    gas_limit INTEGER NOT NULL,
    max_fee BLOB NOT NULL,
    priority BLOB NOT NULL,
    ceiling BLOB NOT NULL,
    valid_until INTEGER NOT NULL,
    expired INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row a nonce. An order has at most one nonce, ever; that is what makes it happen at most once.
CREATE TABLE slots (
    nonce INTEGER PRIMARY KEY,
    order_id BLOB UNIQUE REFERENCES orders (id),
    goal INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    state INTEGER NOT NULL DEFAULT 0,
    opened_at INTEGER NOT NULL,
    ceiling BLOB NOT NULL,
    tx_hash BLOB,
    block_number INTEGER,
    block_hash BLOB,
    success INTEGER,
    gas_used INTEGER,
    gas_price BLOB
) STRICT;
CREATE INDEX slots_by_state ON slots (state);

CREATE TABLE attempts (
    hash BLOB PRIMARY KEY,
    nonce INTEGER NOT NULL REFERENCES slots (nonce),
    ordinal INTEGER NOT NULL,
    cancels INTEGER NOT NULL,
    max_fee BLOB NOT NULL,
    priority BLOB NOT NULL,
    raw BLOB NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    UNIQUE (nonce, ordinal)
) STRICT;
