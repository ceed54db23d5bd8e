-- The public halves; private keys never leave the device.
CREATE TABLE identity_keys (
    user_id     uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    public_key  bytea NOT NULL CHECK (octet_length(public_key) = 32),
    fingerprint text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);
