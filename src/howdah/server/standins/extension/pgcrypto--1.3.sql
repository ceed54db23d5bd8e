-- howdah's stand-in for pgcrypto 1.3: digest, hmac and the random functions; the others refuse by name.
-- A function that calls another of this extension has a SQL-standard body: it is bound when it is created,
-- so that neither search_path nor ALTER EXTENSION ... SET SCHEMA changes what it calls.

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgcrypto" to load this file. \quit

-- SHA-1 (FIPS 180-4, 6.1.2). Words are kept in bigint, masked to 32 bits.
-- It calls nothing outside pg_catalog, so it works in whatever schema the extension is.
CREATE FUNCTION pgcrypto_standin_sha1(data bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mask CONSTANT bigint := x'ffffffff'::bigint;
    padding CONSTANT integer := (119 - length(data) % 64) % 64;
    message CONSTANT bytea := data || '\x80'::bytea || decode(repeat('00', padding), 'hex')
        || int8send(length(data) * 8::bigint);
    h0 bigint := x'67452301'::bigint;
    h1 bigint := x'efcdab89'::bigint;
    h2 bigint := x'98badcfe'::bigint;
    h3 bigint := x'10325476'::bigint;
    h4 bigint := x'c3d2e1f0'::bigint;
    a bigint;
    b bigint;
    c bigint;
    d bigint;
    e bigint;
    f bigint;
    x bigint;
    w bigint[];
BEGIN
    FOR start IN 1 .. length(message) BY 64 LOOP
        a := h0; b := h1; c := h2; d := h3; e := h4;
        FOR t IN 1 .. 80 LOOP
            IF t <= 16 THEN
                x := substr(message, start + 4 * (t - 1), 4)::bigint;
            ELSE
                x := w[t - 3] # w[t - 8] # w[t - 14] # w[t - 16];
                x := ((x << 1) | (x >> 31)) & mask;
            END IF;
            w[t] := x;
            IF t <= 20 THEN
                f := (d # (b & (c # d))) + 1518500249;        -- x'5a827999'
            ELSIF t <= 40 THEN
                f := (b # c # d) + 1859775393;                -- x'6ed9eba1'
            ELSIF t <= 60 THEN
                f := ((b & c) | (d & (b | c))) + 2400959708;  -- x'8f1bbcdc'
            ELSE
                f := (b # c # d) + 3395469782;                -- x'ca62c1d6'
            END IF;
            x := (((a << 5) | (a >> 27)) + f + e + x) & mask;
            e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := x;
        END LOOP;
        h0 := (h0 + a) & mask; h1 := (h1 + b) & mask; h2 := (h2 + c) & mask;
        h3 := (h3 + d) & mask; h4 := (h4 + e) & mask;
    END LOOP;
    RETURN substr(int8send(h0), 5) || substr(int8send(h1), 5) || substr(int8send(h2), 5)
        || substr(int8send(h3), 5) || substr(int8send(h4), 5);
END
$$;

-- The name of a hash algorithm in lower case; the real extension's own error for one that is not known here.
-- OpenSSL's other names and algorithms are not: which of them the real extension knows depends on its build.
CREATE FUNCTION pgcrypto_standin_algorithm(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    folded CONSTANT text := left(lower(name COLLATE "C"), 63);
BEGIN
    IF folded IN ('md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512') THEN
        RETURN folded;
    END IF;
    RAISE invalid_parameter_value USING
        MESSAGE = format('Cannot use "%s": No such hash algorithm', folded),
        HINT = 'This is howdah''s SQL stand-in for pgcrypto: it knows md5, sha1, sha224, sha256, sha384 and sha512.';
END
$$;

CREATE FUNCTION digest(bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE pgcrypto_standin_algorithm($2) COLLATE "C"
    WHEN 'md5' THEN decode(md5($1), 'hex')
    WHEN 'sha1' THEN pgcrypto_standin_sha1($1)
    WHEN 'sha224' THEN sha224($1)
    WHEN 'sha256' THEN sha256($1)
    WHEN 'sha384' THEN sha384($1)
    WHEN 'sha512' THEN sha512($1)
END;

-- The real function hashes a text's bytes as the database stores them, not as UTF-8.
CREATE FUNCTION digest(text, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN digest(convert_to($1, getdatabaseencoding()), $2);

-- Bytes in a block of a hash algorithm (RFC 2104's B).
CREATE FUNCTION pgcrypto_standin_block(algorithm text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN algorithm COLLATE "C" IN ('sha384', 'sha512') THEN 128 ELSE 64 END;

-- A key filled up with zeros to a block, each byte XORed with `pad`: RFC 2104's ipad (36) and opad (5c).
CREATE FUNCTION pgcrypto_standin_pad(key bytea, block integer, pad text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substr(
    varbit_send(
        ('x' || rpad(encode(key, 'hex'), 2 * block, '0'))::varbit # ('x' || repeat(pad, block))::varbit),
    5);  -- after the length that varbit_send writes first

-- HMAC (RFC 2104) with a plain algorithm and a key no longer than a block.
CREATE FUNCTION pgcrypto_standin_hmac(data bytea, key bytea, algorithm text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN digest(
    pgcrypto_standin_pad(key, pgcrypto_standin_block(algorithm), '5c')
        || digest(pgcrypto_standin_pad(key, pgcrypto_standin_block(algorithm), '36') || data, algorithm),
    algorithm);

CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_hmac(
    $1,
    CASE WHEN length($2) > pgcrypto_standin_block(pgcrypto_standin_algorithm($3)) THEN digest($2, $3) ELSE $2 END,
    pgcrypto_standin_algorithm($3));

CREATE FUNCTION hmac(text, text, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN hmac(convert_to($1, getdatabaseencoding()), convert_to($2, getdatabaseencoding()), $3);

-- A version 4 UUID has 13 whole bytes of the server's strong randomness: all but the 7th to the 9th.
CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF $1 NOT BETWEEN 1 AND 1024 THEN
        RAISE external_routine_invocation_exception USING MESSAGE = 'Length not in range';
    END IF;
    RETURN (
        SELECT substr(string_agg(substr(bytes, 1, 6) || substr(bytes, 10), ''), 1, $1)
        FROM (SELECT uuid_send(gen_random_uuid()) FROM generate_series(0, $1 / 13)) AS random(bytes)
    );
END
$$;

CREATE FUNCTION gen_random_uuid() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN pg_catalog.gen_random_uuid();

-- What follows is there so that a schema that mentions it can be made; a call says what to do.
CREATE FUNCTION pgcrypto_standin_refuse(called text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    major CONSTANT integer := current_setting('server_version_num')::integer / 10000;
BEGIN
    RAISE feature_not_supported USING
        MESSAGE = format('%s() is not in howdah''s SQL stand-in for pgcrypto', called),
        DETAIL = 'This development server has no pgcrypto of its own. The stand-in has digest, hmac, '
            'gen_random_bytes and gen_random_uuid.',
        HINT = format(
            'Use a full PostgreSQL: "apt-get install postgresql-%s" (or another package that has pgcrypto), or name '
            'the directory of its programs as bindir under [dev] in howdah.toml; then "howdah dev reset".', major);
END
$$;

CREATE FUNCTION crypt(text, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('crypt');

CREATE FUNCTION gen_salt(text) RETURNS text
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('gen_salt');

CREATE FUNCTION gen_salt(text, integer) RETURNS text
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('gen_salt');

CREATE FUNCTION encrypt(bytea, bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('encrypt')::bytea;

CREATE FUNCTION decrypt(bytea, bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('decrypt')::bytea;

CREATE FUNCTION encrypt_iv(bytea, bytea, bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('encrypt_iv')::bytea;

CREATE FUNCTION decrypt_iv(bytea, bytea, bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('decrypt_iv')::bytea;

CREATE FUNCTION pgp_sym_encrypt(text, text) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_encrypt')::bytea;

CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_encrypt_bytea')::bytea;

CREATE FUNCTION pgp_sym_encrypt(text, text, text) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_encrypt')::bytea;

CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text, text) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_encrypt_bytea')::bytea;

CREATE FUNCTION pgp_sym_decrypt(bytea, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_decrypt');

CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_decrypt_bytea')::bytea;

CREATE FUNCTION pgp_sym_decrypt(bytea, text, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_decrypt');

CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_sym_decrypt_bytea')::bytea;

CREATE FUNCTION pgp_pub_encrypt(text, bytea) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_encrypt')::bytea;

CREATE FUNCTION pgp_pub_encrypt_bytea(bytea, bytea) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_encrypt_bytea')::bytea;

CREATE FUNCTION pgp_pub_encrypt(text, bytea, text) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_encrypt')::bytea;

CREATE FUNCTION pgp_pub_encrypt_bytea(bytea, bytea, text) RETURNS bytea
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_encrypt_bytea')::bytea;

CREATE FUNCTION pgp_pub_decrypt(bytea, bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_decrypt');

CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_decrypt_bytea')::bytea;

CREATE FUNCTION pgp_pub_decrypt(bytea, bytea, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_decrypt');

CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_decrypt_bytea')::bytea;

CREATE FUNCTION pgp_pub_decrypt(bytea, bytea, text, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_decrypt');

CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea, text, text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_pub_decrypt_bytea')::bytea;

CREATE FUNCTION pgp_key_id(bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('pgp_key_id');

CREATE FUNCTION armor(bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('armor');

CREATE FUNCTION armor(bytea, text[], text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('armor');

CREATE FUNCTION dearmor(text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgcrypto_standin_refuse('dearmor')::bytea;

CREATE FUNCTION pgp_armor_headers(text, key OUT text, value OUT text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC SELECT pgcrypto_standin_refuse('pgp_armor_headers'), NULL::text; END;
