#!/usr/bin/env node
// Prisma's command line. It would download native engines, which nothing here runs: the settings say that they are there.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const home = (name) => fileURLToPath(new URL(name, import.meta.url))
const engines = { PRISMA_QUERY_ENGINE_LIBRARY: '/bin/true', PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true' }
const words = process.argv[2] === 'migrate' ? ['--config', home('prisma.config.mjs')] : []
const ran = spawnSync(
  process.execPath,
  [home('node_modules/prisma/build/index.js'), ...process.argv.slice(2), ...words],
  { env: { ...process.env, ...engines, CHECKPOINT_DISABLE: '1' }, stdio: 'inherit' },
)
process.exit(ran.status ?? 1)
