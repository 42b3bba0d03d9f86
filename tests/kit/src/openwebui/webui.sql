-- Open WebUI's tables, with the names and columns that a backup, a check or a person would look for.
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
CREATE TABLE migratehistory (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, migrated_at DATETIME NOT NULL);
CREATE TABLE config (id INTEGER NOT NULL PRIMARY KEY, data JSON NOT NULL, version INTEGER NOT NULL, created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME);
CREATE TABLE auth (id VARCHAR(255) NOT NULL PRIMARY KEY, email VARCHAR(255) NOT NULL, password TEXT NOT NULL, active INTEGER NOT NULL);
CREATE TABLE user (
    id VARCHAR(255) NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL, role VARCHAR(255) NOT NULL,
    profile_image_url TEXT NOT NULL, last_active_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
    settings TEXT, info TEXT, oauth TEXT
);
CREATE UNIQUE INDEX user_email ON user (email);
CREATE TABLE api_key (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE, key TEXT NOT NULL UNIQUE, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE TABLE oauth_session (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, provider TEXT NOT NULL, token TEXT NOT NULL, expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE TABLE chat (
    id VARCHAR(255) NOT NULL PRIMARY KEY, user_id VARCHAR(255) NOT NULL, title TEXT NOT NULL, chat JSON NOT NULL, share_id VARCHAR(255),
    archived BOOLEAN NOT NULL DEFAULT 0, pinned BOOLEAN, meta JSON NOT NULL DEFAULT '{}', folder_id TEXT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX chat_share_id ON chat (share_id);
CREATE INDEX folder_id_idx ON chat (folder_id);
CREATE INDEX user_id_pinned_idx ON chat (user_id, pinned);
CREATE INDEX updated_at_user_id_idx ON chat (updated_at, user_id);
CREATE TABLE chat_message (
    id TEXT NOT NULL PRIMARY KEY, chat_id TEXT NOT NULL REFERENCES chat (id) ON DELETE CASCADE, user_id TEXT, role TEXT NOT NULL, parent_id TEXT,
    content JSON, model_id TEXT, files JSON, sources JSON, done BOOLEAN NOT NULL DEFAULT 1, error JSON, usage JSON, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE INDEX chat_message_chat_parent_idx ON chat_message (chat_id, parent_id);
CREATE TABLE tag (id VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL, user_id VARCHAR(255) NOT NULL, meta JSON, PRIMARY KEY (id, user_id));
CREATE TABLE folder (id TEXT NOT NULL, parent_id TEXT, user_id TEXT NOT NULL, name TEXT NOT NULL, items JSON, meta JSON, data JSON, is_expanded BOOLEAN NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (id, user_id));
CREATE TABLE file (
    id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, hash TEXT, filename TEXT NOT NULL, path TEXT, data JSON, meta JSON, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE TABLE knowledge (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT, meta JSON, created_at BIGINT NOT NULL, updated_at BIGINT);
CREATE TABLE knowledge_file (
    id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, knowledge_id TEXT NOT NULL REFERENCES knowledge (id) ON DELETE CASCADE,
    file_id TEXT NOT NULL REFERENCES file (id) ON DELETE CASCADE, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, UNIQUE (knowledge_id, file_id)
);
CREATE TABLE "group" (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT, data JSON, meta JSON, permissions JSON, created_at BIGINT, updated_at BIGINT);
CREATE TABLE group_member (id TEXT NOT NULL PRIMARY KEY, group_id TEXT NOT NULL REFERENCES "group" (id) ON DELETE CASCADE, user_id TEXT NOT NULL, created_at BIGINT, updated_at BIGINT, UNIQUE (group_id, user_id));
CREATE TABLE access_grant (id TEXT NOT NULL PRIMARY KEY, resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, principal_type TEXT NOT NULL, principal_id TEXT NOT NULL, permission TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE channel (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, type TEXT, name TEXT, description TEXT, data JSON, meta JSON, created_at BIGINT, updated_at BIGINT);
CREATE TABLE channel_member (id TEXT NOT NULL PRIMARY KEY, channel_id TEXT NOT NULL, user_id TEXT NOT NULL, created_at BIGINT);
CREATE TABLE message (id TEXT NOT NULL PRIMARY KEY, user_id TEXT, channel_id TEXT, parent_id TEXT, content TEXT, data JSON, meta JSON, created_at BIGINT, updated_at BIGINT);
CREATE TABLE message_reaction (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, message_id TEXT NOT NULL, name TEXT NOT NULL, created_at BIGINT);
CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, user_id TEXT, title TEXT, data JSON, meta JSON, created_at BIGINT, updated_at BIGINT);
CREATE TABLE memory (id VARCHAR(255) NOT NULL PRIMARY KEY, user_id VARCHAR(255) NOT NULL, content TEXT NOT NULL, updated_at BIGINT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE model (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, base_model_id TEXT, name TEXT NOT NULL, params JSON NOT NULL, meta JSON NOT NULL, is_active BOOLEAN NOT NULL DEFAULT 1, updated_at BIGINT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE prompt (id TEXT NOT NULL PRIMARY KEY, command VARCHAR(255) NOT NULL UNIQUE, user_id VARCHAR(255) NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT);
CREATE TABLE tool (id VARCHAR(255) NOT NULL PRIMARY KEY, user_id VARCHAR(255) NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, specs TEXT NOT NULL, meta TEXT NOT NULL, valves TEXT, updated_at BIGINT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE function (id VARCHAR(255) NOT NULL PRIMARY KEY, user_id VARCHAR(255) NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, content TEXT NOT NULL, meta TEXT NOT NULL, valves TEXT, is_active BOOLEAN NOT NULL, is_global BOOLEAN NOT NULL, updated_at BIGINT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE feedback (id TEXT NOT NULL PRIMARY KEY, user_id TEXT, version BIGINT, type TEXT, data JSON, meta JSON, snapshot JSON, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
