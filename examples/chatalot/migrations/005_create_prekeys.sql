CREATE TABLE signed_prekeys (
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key_id     integer NOT NULL,
    public_key bytea NOT NULL,
    signature  bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key_id)
);

CREATE TABLE one_time_prekeys (
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key_id     integer NOT NULL,
    public_key bytea NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (user_id, key_id)
);

-- Each is given out once.
CREATE FUNCTION take_one_time_prekey(of_user uuid) RETURNS SETOF one_time_prekeys
LANGUAGE sql
BEGIN ATOMIC
    UPDATE one_time_prekeys SET used_at = now()
    WHERE (user_id, key_id) = (
        SELECT k.user_id, k.key_id FROM one_time_prekeys AS k
        WHERE k.user_id = of_user AND k.used_at IS NULL
        ORDER BY k.key_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *;
END;
