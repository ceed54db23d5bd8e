-- howdah's stand-in for uuid-ossp 1.1: the ten functions with the signatures of the real extension (RFC 9562).
-- A function that calls another of this extension has a SQL-standard body: it is bound when it is created,
-- so that neither search_path nor ALTER EXTENSION ... SET SCHEMA changes what it calls.

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use 'CREATE EXTENSION "uuid-ossp"' to load this file. \quit

-- SHA-1 (FIPS 180-4, 6.1.2). Words are kept in bigint, masked to 32 bits.
-- It calls nothing outside pg_catalog, so it works in whatever schema the extension is.
CREATE FUNCTION uuid_ossp_standin_sha1(data bytea) RETURNS bytea
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

-- Six random bytes as a node: the multicast bit says that it is no network card's address (RFC 9562, 6.10).
CREATE FUNCTION uuid_ossp_standin_random_node() RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    node CONSTANT bytea := substr(uuid_send(gen_random_uuid()), 11);
BEGIN
    RETURN encode(set_byte(node, 0, get_byte(node, 0) | 1), 'hex');
END
$$;

-- The node of uuid_generate_v1(): drawn now, the same from here on. A constant, because a table or a
-- sequence would be one more thing to grant, and would not work in a read-only transaction.
DO $do$
BEGIN
    EXECUTE pg_catalog.format(
        'CREATE FUNCTION uuid_ossp_standin_node() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %L::text',
        uuid_ossp_standin_random_node());
END
$do$;

-- A version 1 UUID of this microsecond and this backend. The function does not return before its
-- microsecond is over, so one backend never uses one twice; two backends differ in the clock sequence,
-- which carries the process id (its upper bits choose one of the ten ticks in the microsecond). That needs
-- no state: it works in parallel workers and in read-only transactions, as the real function does.
CREATE FUNCTION uuid_ossp_standin_time_based(node text) RETURNS uuid
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pid CONSTANT integer := pg_backend_pid();
    moment CONSTANT timestamptz := clock_timestamp();
    since_1582 CONSTANT bigint := 122192928000000000 + (extract(epoch FROM moment) * 10000000)::bigint
        + (pid >> 14) % 10;
    ticks CONSTANT text := lpad(to_hex(since_1582), 15, '0');
BEGIN
    -- not "<=": a clock that is set back must not keep us here
    WHILE clock_timestamp() = moment LOOP
    END LOOP;
    RETURN (substr(ticks, 8) || substr(ticks, 4, 4) || '1' || left(ticks, 3)
        || to_hex(32768 | (pid & 16383)) || node)::uuid;
END
$$;

-- A UUID from the first 16 bytes of a hash, with version and variant put in.
CREATE FUNCTION uuid_ossp_standin_name_based(hash bytea, version integer) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(
    set_byte(
        set_byte(substr(hash, 1, 16), 6, (get_byte(hash, 6) & 15) | (version << 4)),
        8, (get_byte(hash, 8) & 63) | 128),
    'hex')::uuid;

CREATE FUNCTION uuid_nil() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '00000000-0000-0000-0000-000000000000'::uuid;

CREATE FUNCTION uuid_ns_dns() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_url() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_oid() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_x500() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_generate_v1() RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN uuid_ossp_standin_time_based(uuid_ossp_standin_node());

CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN uuid_ossp_standin_time_based(uuid_ossp_standin_random_node());

-- The real functions hash a name's bytes as the database stores them, not as UTF-8.
CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN uuid_ossp_standin_name_based(
    decode(md5(uuid_send(namespace) || convert_to(name, getdatabaseencoding())), 'hex'), 3);

CREATE FUNCTION uuid_generate_v4() RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN gen_random_uuid();

CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN uuid_ossp_standin_name_based(
    uuid_ossp_standin_sha1(uuid_send(namespace) || convert_to(name, getdatabaseencoding())), 5);
