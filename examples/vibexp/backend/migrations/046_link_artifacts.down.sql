DROP TABLE artifact_links;
