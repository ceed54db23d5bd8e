DROP TABLE artifacts;
DROP TYPE artifact_kind;
