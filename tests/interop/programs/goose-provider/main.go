// An application that runs its goose migrations by itself, as goose's documentation of the Provider advises:
// under the session lock of PostgreSQL, with migrations in Go among those in SQL.
//
//	DATABASE_URL=... goose-provider [-lease DURATION] DIR up | up-to V | down | down-to V | status
//
// With -lease it takes, instead of the session lock, the lock in goose's own table, which expires so long after a crash.
//
// Every file DIR/V_name.go stands for a migration in Go: up leaves the row "go V" in the table log, down "go -V".
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

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
	flags := flag.NewFlagSet("goose-provider", flag.ContinueOnError)
	version := flags.Bool("version", false, "say the program's name")
	lease := flags.Duration("lease", 0, "lock by a table, for so long")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *version {
		fmt.Println("goose-provider")
		return nil
	}
	arguments = flags.Args()
	if len(arguments) < 2 {
		return fmt.Errorf("usage: goose-provider DIR up|up-to|down|down-to|status [VERSION]")
	}
	database, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer database.Close()
	provider, err := open(database, arguments[0], *lease)
	if err != nil {
		return err
	}
	var target int64
	if len(arguments) > 2 {
		if target, err = strconv.ParseInt(arguments[2], 10, 64); err != nil {
			return err
		}
	}
	switch arguments[1] {
	case "up":
		return tell(provider.Up(ctx))
	case "up-to":
		return tell(provider.UpTo(ctx, target))
	case "down":
		result, err := provider.Down(ctx)
		return tell([]*goose.MigrationResult{result}, err)
	case "down-to":
		return tell(provider.DownTo(ctx, target))
	case "status":
		return status(ctx, provider)
	}
	return fmt.Errorf("unknown: %s", arguments[1])
}

func open(database *sql.DB, directory string, lease time.Duration) (*goose.Provider, error) {
	locker, err := locker(lease)
	if err != nil {
		return nil, err
	}
	written, err := writtenInGo(directory)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, database, os.DirFS(directory),
		locker, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(written...))
}

// locker tries once a second, for two minutes; goose's own default is once in five seconds.
func locker(lease time.Duration) (goose.ProviderOption, error) {
	if lease > 0 {
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLeaseDuration(lease),
			lock.WithTableHeartbeatInterval(lease/5), lock.WithTableLockTimeout(time.Second, 120))
		return goose.WithLocker(locker), err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120), lock.WithUnlockTimeout(1, 30))
	return goose.WithSessionLocker(locker), err
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
