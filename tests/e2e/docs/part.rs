//! Configurations of which a page shows a part.

use std::fmt::Write as _;

/// A whole configuration with this part in it: of everything that it has not, the pages' usual.
pub(super) fn completed(part: &str) -> String {
    let table: toml::Table = part
        .parse()
        .unwrap_or_else(|error| panic!("{error}\n{part}"));
    let has = |key: &str| table.contains_key(key);
    let mut whole = String::new();
    if !has("name") {
        whole.push_str("name = \"open-webui\"\n");
    }
    if !has("source") {
        whole.push_str("source.path = \"/opt/open-webui\"\n");
    }
    if !has("destination") {
        whole.push_str("destination = [{ remote = \"b2:my-bucket/copal\" }]\n");
    }
    whole.push_str(part);
    for secret in secrets(&table) {
        if table
            .get("secret")
            .is_none_or(|it| it.get(&secret).is_none())
        {
            writeln!(whole, "\n[secret.{secret}]\nenv = \"SECRET\"").unwrap();
        }
    }
    whole
}

/// The secrets that hooks and commands of a configuration have.
fn secrets(table: &toml::Table) -> Vec<String> {
    let hooks = table.get("hook").and_then(toml::Value::as_array);
    let granted = hooks.into_iter().flatten();
    let granted = granted.filter_map(|hook| hook.get("grants")?.get("secrets")?.as_array());
    let commands = table.get("command").and_then(toml::Value::as_table);
    let commands = commands.into_iter().flat_map(|commands| commands.values());
    let given = commands.filter_map(|command| command.get("secret_env")?.as_table());
    let names = granted.flatten().chain(given.flat_map(|it| it.values()));
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
