// An application that runs its goose migrations by itself, as goose's documentation of the Provider advises:
// under the session lock of PostgreSQL, with migrations in Go among those in SQL.
//
//	DATABASE_URL=... goose-provider DIR up | up-to V | down | down-to V | status
//
// Every file DIR/V_name.go stands for a migration in Go: up leaves the row "go V" in the table log, down "go -V".
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 1 && arguments[0] == "-version" {
		fmt.Println("goose-provider")
		return nil
	}
	if len(arguments) < 2 {
		return fmt.Errorf("usage: goose-provider DIR up|up-to|down|down-to|status [VERSION]")
	}
	database, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer database.Close()
	provider, err := open(database, arguments[0])
	if err != nil {
		return err
	}
	var version int64
	if len(arguments) > 2 {
		if version, err = strconv.ParseInt(arguments[2], 10, 64); err != nil {
			return err
		}
	}
	switch arguments[1] {
	case "up":
		return tell(provider.Up(ctx))
	case "up-to":
		return tell(provider.UpTo(ctx, version))
	case "down":
		result, err := provider.Down(ctx)
		return tell([]*goose.MigrationResult{result}, err)
	case "down-to":
		return tell(provider.DownTo(ctx, version))
	case "status":
		return status(ctx, provider)
	}
	return fmt.Errorf("unknown: %s", arguments[1])
}

func open(database *sql.DB, directory string) (*goose.Provider, error) {
	// One attempt a second, for two minutes; goose's own default is one in five seconds.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120), lock.WithUnlockTimeout(1, 30))
	if err != nil {
		return nil, err
	}
	written, err := writtenInGo(directory)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, database, os.DirFS(directory),
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(written...))
}

func writtenInGo(directory string) ([]*goose.Migration, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*_*.go"))
	if err != nil {
		return nil, err
	}
	var migrations []*goose.Migration
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return nil, err
		}
		migrations = append(migrations, goose.NewGoMigration(version, leave(version), leave(-version)))
	}
	return migrations, nil
}

func leave(version int64) *goose.GoFunc {
	return &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO log (what) VALUES ($1)", fmt.Sprintf("go %d", version))
		return err
	}}
}

func tell(results []*goose.MigrationResult, err error) error {
	for _, result := range results {
		if result != nil {
			fmt.Println(result)
		}
	}
	return err
}

// status exits with 0 where every file is applied, so that a test can ask.
func status(ctx context.Context, provider *goose.Provider) error {
	states, err := provider.Status(ctx)
	if err != nil {
		return err
	}
	pending := 0
	for _, state := range states {
		fmt.Println(state.State, state.Source.Version)
		if state.State == goose.StatePending {
			pending++
		}
	}
	if pending > 0 {
		return fmt.Errorf("%d pending", pending)
	}
	return nil
}
