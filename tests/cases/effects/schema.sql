-- What every case starts from; a file of cases adds what only it needs.
CREATE TABLE orgs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL
);
CREATE TABLE users (
  id int PRIMARY KEY,
  org_id bigint,
  email text,
  name varchar(50),
  bio text,
  kind text NOT NULL DEFAULT 'person',
  amount numeric(10, 2),
  ts timestamp,
  created timestamptz DEFAULT now()
);
CREATE INDEX users_org ON users (org_id);
CREATE INDEX users_ts ON users (ts);
