// What goose itself makes of migration files: it reads them from standard input and runs them on a database that is none.
//
// Each line of the input is a JSON object {"text", "up", "variables"}, each line of the output one
// {"error", "messages", "transaction"} for it. goose is called as its command line calls it.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"os"
	"testing/fstest"

	"github.com/pressly/goose/v3"
)

type question struct {
	Text      string            `json:"text"`
	Up        bool              `json:"up"`
	Variables map[string]string `json:"variables"`
}

type answer struct {
	Error       string   `json:"error"`
	Messages    []string `json:"messages"`
	Transaction bool     `json:"transaction"`
}

// The answer that is being given: the database writes down what it is sent.
var current answer

type connection struct{}

func (connection) Prepare(query string) (driver.Stmt, error) {
	return nil, fmt.Errorf("unexpected: %s", query)
}
func (connection) Close() error              { return nil }
func (connection) Begin() (driver.Tx, error) { current.Transaction = true; return transaction{}, nil }
func (connection) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	current.Messages = append(current.Messages, query)
	return driver.RowsAffected(0), nil
}

type transaction struct{}

func (transaction) Commit() error   { return nil }
func (transaction) Rollback() error { return nil }

type connector struct{}

func (connector) Connect(context.Context) (driver.Conn, error) { return connection{}, nil }
func (connector) Driver() driver.Driver                        { return nil }

func main() {
	if len(os.Args) == 2 && os.Args[1] == "-version" {
		fmt.Println("goose-parse")
		return
	}
	goose.SetLogger(goose.NopLogger())
	database := sql.OpenDB(connector{})
	questions := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	for questions.More() {
		var asked question
		if err := questions.Decode(&asked); err != nil {
			panic(err)
		}
		if err := answers.Encode(ask(database, asked)); err != nil {
			panic(err)
		}
	}
}

func ask(database *sql.DB, asked question) answer {
	for name, value := range asked.Variables {
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	goose.SetBaseFS(fstest.MapFS{"1_file.sql": &fstest.MapFile{Data: []byte(asked.Text)}})
	current = answer{Messages: []string{}}
	run := func() error { return goose.Up(database, ".", goose.WithNoVersioning()) }
	if !asked.Up {
		run = func() error { return goose.Down(database, ".", goose.WithNoVersioning()) }
	}
	if err := run(); err != nil {
		current.Error = err.Error()
	}
	return current
}
