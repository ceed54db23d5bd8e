-- A bit of everything, some of it in a circle, some with names that nobody should give.
CREATE SCHEMA app;
CREATE SCHEMA "Odd ""Names"" ; -- here";
CREATE TYPE app.kind AS ENUM ('guest', 'it''s', 'member');
CREATE TYPE app.pair AS (a int, b text);
CREATE DOMAIN app.colour AS text CHECK (VALUE ~ '^#');
CREATE TYPE app.span AS RANGE (SUBTYPE = float8);
CREATE SEQUENCE app.numbers INCREMENT 5;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
-- Name: users; Type: TABLE; Schema: public; Owner: -

/*
\restrict me
*/
  RETURN NEW; END $$;
CREATE FUNCTION app.one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE PROCEDURE app.run() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TABLE zebras (id serial PRIMARY KEY, kind app.kind DEFAULT 'guest', colour app.colour, number int DEFAULT nextval('app.numbers'));
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL DEFAULT 'CONSTRAINT x NOT NULL', bio text COLLATE "C",
  age int CHECK (age > 3), lower_email text GENERATED ALWAYS AS (lower(email)) STORED, zebra int REFERENCES zebras ON DELETE CASCADE);
CREATE UNIQUE INDEX users_email_idx ON users (lower(email)) WHERE age > 3;
CREATE INDEX users_one_idx ON users (app.one(age));
ALTER TABLE users ADD CONSTRAINT adult CHECK (age > 17) NOT VALID;
ALTER TABLE users SET (fillfactor = 70);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users CLUSTER ON users_pkey;
CREATE POLICY mine ON users FOR SELECT USING (email = current_user);
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE users DISABLE TRIGGER touch;
CREATE STATISTICS s ON email, age FROM users;
COMMENT ON COLUMN users.email IS 'unique; one day''s --';
COMMENT ON INDEX users_email_idx IS 'an index';
COMMENT ON TABLE users IS E'two\nlines';
CREATE FUNCTION of_row(users) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.email';
CREATE VIEW people AS SELECT id, email FROM users WHERE age > 1;
CREATE VIEW grouped AS SELECT u.id, u.email, count(*) FROM users u GROUP BY u.id;
CREATE VIEW of_views AS SELECT p.id, of_row(u) AS row FROM people p JOIN users u USING (id);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM of_views;
CREATE UNIQUE INDEX counted_idx ON counted (n);
CREATE RULE nothing AS ON DELETE TO zebras DO INSTEAD NOTHING;
CREATE TABLE events (at timestamptz NOT NULL, id int, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE INDEX events_id_idx ON events (id);
CREATE TABLE a_part PARTITION OF events FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX only_here ON a_part (at);
CREATE TABLE base (id int PRIMARY KEY, at date);
CREATE TABLE child (extra text) INHERITS (base);
CREATE UNLOGGED TABLE fast (id int);
CREATE TABLE circle_a (id int PRIMARY KEY, b int);
CREATE TABLE circle_b (id int PRIMARY KEY, a int REFERENCES circle_a);
ALTER TABLE circle_a ADD FOREIGN KEY (b) REFERENCES circle_b DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE "Odd ""Names"" ; -- here"."a table'; DROP TABLE users; --" ("col "" umn" int PRIMARY KEY, "ünïcode ☃" text);
CREATE INDEX "users " ON "Odd ""Names"" ; -- here"."a table'; DROP TABLE users; --" ("ünïcode ☃");
CREATE TABLE "users touch" (id int PRIMARY KEY);
CREATE TRIGGER touch BEFORE UPDATE ON "users touch" FOR EACH ROW EXECUTE FUNCTION app.touch();
COMMENT ON TABLE "users touch" IS 'not of users';
CREATE TABLE "on" ("on" int, "select" app.pair);
CREATE VIEW first_half AS SELECT 1 AS id, NULL::text AS word;
CREATE VIEW second_half AS SELECT id, word FROM first_half;
CREATE COLLATION app.posix (locale = 'C');
CREATE CAST (app.pair AS app.kind) WITH INOUT;
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = simple);
CREATE PUBLICATION some_of_it FOR TABLE users, zebras;
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION app.watch();
