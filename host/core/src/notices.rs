//! What the binary contains of others, as `THIRD-PARTY-NOTICES` lists it.

/// The parts of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind<'a> {
    /// What they are, such as `Go modules`.
    pub title: &'a str,
    /// Each of them, by name.
    pub parts: Vec<Part<'a>>,
}

/// One crate, module or library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its name at its registry.
    pub name: &'a str,
    /// Its version; none of what comes with a compiler.
    pub version: Option<&'a str>,
    /// Its licence, as SPDX names it.
    pub license: &'a str,
}

/// The lists at the head of the notices. The licences' own texts follow after them.
pub fn kinds(notices: &str) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for line in notices.lines() {
        match line.strip_prefix("== ") {
            Some("Texts") => break,
            Some(title) => kinds.push(Kind {
                title,
                parts: Vec::new(),
            }),
            None => {
                if let Some(kind) = kinds.last_mut() {
                    kind.parts.extend(part(line));
                }
            }
        }
    }
    kinds
}

/// `addr2line  0.26.1  Apache-2.0 OR MIT`.
fn part(line: &str) -> Option<Part<'_>> {
    let mut fields = line.splitn(3, "  ");
    let (name, version, license) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Part {
        name,
        version: Some(version).filter(|version| *version != "-"),
        license,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read_and_the_texts_are_not() {
        let notices = "Head\n\n== Crates\n\na  1.0.0  MIT OR Apache-2.0\n\n== Libraries\n\n\
                       The standard library  -  MIT\n\n== Texts\n\nnot  a  part\n== Nor a kind\n";
        let of = |name, version, license| Part {
            name,
            version,
            license,
        };
        let expected = [
            Kind {
                title: "Crates",
                parts: vec![of("a", Some("1.0.0"), "MIT OR Apache-2.0")],
            },
            Kind {
                title: "Libraries",
                parts: vec![of("The standard library", None, "MIT")],
            },
        ];
        assert_eq!(kinds(notices), expected);
    }
}
