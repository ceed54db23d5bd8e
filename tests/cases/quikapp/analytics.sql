-- QuikApp_analytics

CREATE TABLE daily_active_users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id UUID NOT NULL,
    date DATE NOT NULL,
    user_count INTEGER DEFAULT 0,
    message_count INTEGER DEFAULT 0,
    reaction_count INTEGER DEFAULT 0,
    file_upload_count INTEGER DEFAULT 0,
    created_at TIMESTAMPTZ DEFAULT NOW(),
    UNIQUE(workspace_id, date)
);

CREATE TABLE message_analytics (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    hour TIMESTAMPTZ NOT NULL,
    message_count INTEGER DEFAULT 0,
    unique_users INTEGER DEFAULT 0,
    avg_message_length FLOAT,
    created_at TIMESTAMPTZ DEFAULT NOW()
);

CREATE TABLE user_activity (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    date DATE NOT NULL,
    messages_sent INTEGER DEFAULT 0,
    reactions_given INTEGER DEFAULT 0,
    files_uploaded INTEGER DEFAULT 0,
    time_spent_minutes INTEGER DEFAULT 0,
    UNIQUE(user_id, workspace_id, date)
);

-- Partitioning for large tables
CREATE TABLE events (
    id UUID DEFAULT gen_random_uuid(),
    workspace_id UUID NOT NULL,
    event_type VARCHAR(50) NOT NULL,
    user_id UUID,
    metadata JSONB,
    created_at TIMESTAMPTZ DEFAULT NOW()
) PARTITION BY RANGE (created_at);

-- Create monthly partitions
CREATE TABLE events_2024_01 PARTITION OF events
    FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE events_2024_02 PARTITION OF events
    FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
-- Continue for each month...

-- Indexes
CREATE INDEX idx_daily_active_users_workspace ON daily_active_users(workspace_id, date);
CREATE INDEX idx_message_analytics_channel ON message_analytics(channel_id, hour);
CREATE INDEX idx_user_activity_user ON user_activity(user_id, date);
CREATE INDEX idx_events_workspace ON events(workspace_id, created_at);

CREATE INDEX idx_events_created
    ON events USING BRIN (created_at);
