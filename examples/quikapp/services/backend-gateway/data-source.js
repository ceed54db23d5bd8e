const { DataSource } = require("typeorm");

// howdah names the database by DATABASE_URL; started by itself, the gateway has the variables of every other service.
const place = process.env.DATABASE_URL
  ? { url: process.env.DATABASE_URL }
  : {
      host: process.env.DB_HOST || "localhost",
      port: parseInt(process.env.DB_PORT, 10) || 5432,
      username: process.env.DB_USER || "QuikApp",
      password: process.env.DB_PASSWORD,
      database: process.env.DB_NAME || "QuikApp_main",
    };

module.exports = {
  AppDataSource: new DataSource({
    type: "postgres",
    ...place,
    migrations: [`${__dirname}/migrations/*.js`],
    migrationsTransactionMode: "each",
    synchronize: false, // the schema is in the migrations, and nowhere else
    extra: { max: 20, idleTimeoutMillis: 30000, connectionTimeoutMillis: 2000 },
  }),
};
