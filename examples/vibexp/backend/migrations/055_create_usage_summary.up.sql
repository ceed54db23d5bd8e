CREATE MATERIALIZED VIEW usage_summary AS
SELECT
    projects.id AS project_id,
    (SELECT count(*) FROM prompts WHERE prompts.project_id = projects.id AND NOT is_archived) AS prompts,
    (SELECT count(*) FROM artifacts WHERE artifacts.project_id = projects.id) AS artifacts,
    (SELECT count(*) FROM memories WHERE memories.project_id = projects.id) AS memories
FROM projects;

-- REFRESH MATERIALIZED VIEW CONCURRENTLY needs it.
CREATE UNIQUE INDEX usage_summary_project_id_idx ON usage_summary (project_id);
