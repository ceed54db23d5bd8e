class CreateSessions1704067200000 {
  name = "CreateSessions1704067200000";

  async up(queryRunner) {
    await queryRunner.query(`
      CREATE TABLE sessions (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id UUID NOT NULL,
        token_hash VARCHAR(64) UNIQUE NOT NULL,
        user_agent VARCHAR(500),
        created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
        expires_at TIMESTAMPTZ NOT NULL
      )
    `);
    await queryRunner.query(`CREATE INDEX idx_sessions_user ON sessions(user_id, expires_at)`);
  }

  async down(queryRunner) {
    await queryRunner.query(`DROP TABLE sessions`);
  }
}

module.exports = { CreateSessions1704067200000 };
