// Prisma Migrate without a native engine: the one inside the CLI, over a driver adapter.
import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from 'prisma/config'

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'schema.prisma',
  migrations: { path: process.env.MIGRATIONS },
  adapter: async () => {
    const factory = new PrismaPg({ connectionString: process.env.DATABASE_URL })
    const connect = factory.connect.bind(factory)
    factory.connect = async () => {
      const adapter = await connect()
      const queryRaw = adapter.queryRaw.bind(adapter)
      // The adapter does not read columns of the type `name`, and the engine asks for some.
      adapter.queryRaw = (query) => queryRaw({ ...query, sql: query.sql.replace(/(relname|nspname) AS/g, '$1::text AS') })
      return adapter
    }
    return factory
  },
})
