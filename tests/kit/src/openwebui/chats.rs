//! What is in `webui.db`: people, settings, chats.

use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

use crate::{Random, sha256};

/// The second at which the made-up instance was set up.
pub(super) const SET_UP: i64 = 1_764_000_000;

/// One row of `chat` with its rows of `chat_message`.
pub(crate) struct Chat {
    pub(crate) id: String,
    user: String,
    title: String,
    json: String,
    messages: Vec<Message>,
}

struct Message {
    id: String,
    parent: Option<String>,
    role: &'static str,
    content: String,
    at: i64,
}

impl Chat {
    pub(crate) fn random(user: &str, random: &mut Random) -> Self {
        let exchanges = 1 + random.below(4);
        let mut messages: Vec<Message> = Vec::new();
        for turn in 0..2 * exchanges {
            let (role, words) = [("user", 25), ("assistant", 180)][turn % 2];
            let words = words / 2 + random.below(words);
            messages.push(Message {
                id: random.uuid(),
                parent: messages.last().map(|last| last.id.clone()),
                role,
                content: random.words(words),
                at: moment(random),
            });
        }
        let title = random.words(4);
        Self {
            id: random.uuid(),
            user: user.to_owned(),
            json: chat_json(&title, &messages).to_string(),
            title,
            messages,
        }
    }

    /// What tells whether the chat came back as it was written.
    pub(crate) fn digest(&self) -> String {
        sha256(&self.json)
    }

    pub(crate) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let at = self.messages.last().map_or(SET_UP, |last| last.at);
        connection
            .prepare_cached(
                "INSERT INTO chat (id, user_id, title, chat, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            )?
            .execute(params![self.id, self.user, self.title, self.json, at])?;
        let mut statement = connection.prepare_cached(
            "INSERT INTO chat_message (id, chat_id, user_id, role, parent_id, content, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        )?;
        for message in &self.messages {
            let content = Value::from(message.content.as_str()).to_string();
            statement.execute(params![
                format!("{}-{}", self.id, message.id),
                self.id,
                self.user,
                message.role,
                message.parent,
                content,
                message.at
            ])?;
        }
        Ok(())
    }
}

fn chat_json(title: &str, messages: &[Message]) -> Value {
    let by_id: Map<String, Value> = messages
        .iter()
        .map(|m| {
            let value = json!({
                "id": m.id, "parentId": m.parent, "role": m.role,
                "content": m.content, "timestamp": m.at,
            });
            (m.id.clone(), value)
        })
        .collect();
    let current = messages.last().map(|last| last.id.as_str());
    json!({
        "title": title,
        "models": ["llama3.2:latest"],
        "history": { "messages": by_id, "currentId": current },
    })
}

/// Some second in the half year after the instance was set up.
pub(super) fn moment(random: &mut Random) -> i64 {
    SET_UP + i64::try_from(random.below(15_000_000)).expect("a small number")
}

/// Settings, users with their passwords, and what else is there after the first sign-in. Answers
/// the users' ids; the first is the administrator.
pub(super) fn insert_people(
    connection: &Connection,
    count: usize,
    random: &mut Random,
) -> rusqlite::Result<Vec<String>> {
    connection.execute(
        "INSERT INTO alembic_version VALUES (?1)",
        [&random.uuid()[24..]],
    )?;
    let settings = json!({
        "version": 0,
        "ui": { "enable_signup": false, "default_locale": "en-GB" },
        "rag": { "embedding_engine": "", "chunk_size": 1000, "top_k": 3 },
    });
    connection.execute(
        "INSERT INTO config (data, version) VALUES (?1, 0)",
        [settings.to_string()],
    )?;
    let mut ids = Vec::new();
    for n in 0..count.max(1) {
        let id = random.uuid();
        insert_person(connection, &id, n, random)?;
        ids.push(id);
    }
    Ok(ids)
}

fn insert_person(
    connection: &Connection,
    id: &str,
    n: usize,
    random: &mut Random,
) -> rusqlite::Result<()> {
    let (name, email) = (random.words(2), format!("person{n}@example.org"));
    let role = if n == 0 { "admin" } else { "user" };
    let at = moment(random);
    connection.execute(
        "INSERT INTO user (id, name, email, role, profile_image_url, last_active_at, updated_at, created_at, settings)
         VALUES (?1, ?2, ?3, ?4, '/user.png', ?5, ?5, ?5, '{\"ui\": {}}')",
        params![id, name, email, role, at],
    )?;
    // The form of a bcrypt hash; nothing hashes to it.
    let password = format!("$2b$12${}", &sha256(random.uuid())[..53]);
    connection.execute(
        "INSERT INTO auth (id, email, password, active) VALUES (?1, ?2, ?3, 1)",
        params![id, email, password],
    )?;
    connection.execute(
        "INSERT INTO memory (id, user_id, content, updated_at, created_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![random.uuid(), id, random.words(9), at],
    )?;
    Ok(())
}
