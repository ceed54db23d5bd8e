//! An application that runs its sqlx migrations when it starts: what `sqlx::migrate!` does at run time.
//!
//!     DATABASE_URL=... sqlx-embed DIR run | undo VERSION | validate
//!
//! The macro makes the same `Migrator` from the same files when the program is built.

use std::env;
use std::error::Error;
use std::path::Path;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::{Connection, PgConnection};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words == ["--version"] {
        println!("sqlx-embed");
        return Ok(());
    }
    let [directory, command, rest @ ..] = &words[..] else {
        return Err("usage: sqlx-embed DIR run | undo VERSION | validate".into());
    };
    let migrator = Migrator::new(Path::new(directory)).await?;
    let mut connection = PgConnection::connect(&env::var("DATABASE_URL")?).await?;
    match (*command, rest) {
        ("run", []) => migrator.run(&mut connection).await?,
        ("undo", [version]) => migrator.undo(&mut connection, version.parse()?).await?,
        ("validate", []) => validate(&migrator, &mut connection).await?,
        _ => return Err(format!("unknown: {command}").into()),
    }
    connection.close().await?;
    Ok(())
}

/// What a start of the application asks of the history, with nothing left to apply.
async fn validate(migrator: &Migrator, connection: &mut PgConnection) -> Result<(), Box<dyn Error>> {
    let before = connection.list_applied_migrations().await?.len();
    let wanted = migrator.iter().filter(|each| !each.migration_type.is_down_migration()).count();
    if before != wanted {
        return Err(format!("{before} of {wanted} migrations are applied").into());
    }
    migrator.run(connection).await?;
    Ok(())
}
