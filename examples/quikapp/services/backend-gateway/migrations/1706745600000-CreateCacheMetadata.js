class CreateCacheMetadata1706745600000 {
  name = "CreateCacheMetadata1706745600000";

  async up(queryRunner) {
    await queryRunner.query(`
      CREATE TABLE cache_metadata (
        key VARCHAR(200) PRIMARY KEY,
        tags VARCHAR(50)[] NOT NULL DEFAULT '{}',
        size_bytes INTEGER NOT NULL,
        cached_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
        expires_at TIMESTAMPTZ NOT NULL
      )
    `);
    await queryRunner.query(`CREATE INDEX idx_cache_metadata_tags ON cache_metadata USING GIN (tags)`);
  }

  async down(queryRunner) {
    await queryRunner.query(`DROP TABLE cache_metadata`);
  }
}

module.exports = { CreateCacheMetadata1706745600000 };
