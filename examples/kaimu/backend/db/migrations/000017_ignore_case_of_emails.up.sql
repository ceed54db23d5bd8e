-- This file brings its own transaction: from the lock on, nobody can sign up in between.
BEGIN;

LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE;

ALTER TABLE users DROP CONSTRAINT users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

COMMIT;
