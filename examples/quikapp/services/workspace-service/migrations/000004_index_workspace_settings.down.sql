DROP INDEX CONCURRENTLY IF EXISTS idx_workspace_settings;
