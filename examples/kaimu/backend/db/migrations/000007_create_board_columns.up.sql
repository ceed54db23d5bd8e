CREATE TABLE board_columns (
    id         uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    board_id   uuid NOT NULL REFERENCES boards (id) ON DELETE CASCADE,
    name       text NOT NULL,
    position   integer NOT NULL,
    color      varchar(7) NOT NULL DEFAULT '#6b7280',
    is_backlog boolean NOT NULL DEFAULT false,
    is_done    boolean NOT NULL DEFAULT false,
    wip_limit  integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Deferrable: two columns trade places in one transaction.
    CONSTRAINT board_columns_board_id_position_key UNIQUE (board_id, position) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT board_columns_wip_limit_positive CHECK (wip_limit IS NULL OR wip_limit > 0),
    CONSTRAINT board_columns_backlog_or_done CHECK (NOT (is_backlog AND is_done))
);
