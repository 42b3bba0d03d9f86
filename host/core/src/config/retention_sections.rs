//! From `[retention]` to [`Retention`].

use std::num::NonZeroU32;

use toml::de::DeValue;

use super::Retention;
use super::reader::{Field, Table, Unfit};
use super::words::quoted;
use crate::retention::{Policy, Rule, Within};

/// The outer `None` is a problem that was reported, the inner one a section that is not there.
type Section = Option<Option<Retention>>;

pub(super) fn retention(top: &mut Table<'_>) -> Section {
    let Some(field) = top.take("retention") else {
        return Some(None);
    };
    let mut table = field.table("[retention]")?;
    let counts = Rule::ALL.map(|rule| (rule, table.take(rule.name())));
    let within = table.take("within");
    let timezone = table.take("timezone");
    table.finish();
    let mut policy = Some(Policy::default());
    for (rule, field) in counts {
        let Some(field) = field else { continue };
        let of = count(&field, rule);
        policy = policy.zip(of).map(|(policy, of)| policy.with(rule, of));
    }
    if let Some(field) = &within {
        let within = self::within(field);
        let is_alone = policy.as_ref().is_some_and(Policy::is_empty);
        if is_alone && within.is_some() {
            let what = "`[retention]` counts nothing, and has `within` alone";
            let why =
                "after a time in which no run succeeded, it would keep the newest snapshot alone";
            let next = "say beside it how many stay however old they are, for example `last = 7`";
            field.problems.report(&field.span, what, why, next);
            policy = None;
        }
        policy = policy
            .zip(within)
            .map(|(policy, within)| policy.and_within(within));
    }
    let timezone = timezone.map_or(Some(None), |field| {
        let name = field.read("timezone = \"Europe/Berlin\"", self::timezone);
        name.map(|name| Some((name, field.place())))
    });
    let (timezone, timezone_place) = timezone?.unzip();
    Some(Some(Retention {
        policy: policy?,
        timezone,
        timezone_place,
    }))
}

fn count(field: &Field<'_>, rule: Rule) -> Option<NonZeroU32> {
    let example = format!("{rule} = 3");
    let DeValue::Integer(number) = field.value() else {
        return field.mistyped("a whole number above 0", &example);
    };
    let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
    let fits = read.and_then(|number| NonZeroU32::new(u32::try_from(number).ok()?));
    if fits.is_none() {
        let (why, next) = match read {
            Some(0) => (
                "a rule that keeps nothing is none",
                "remove the line, or write how many stay".to_owned(),
            ),
            Some(..0) => (
                "it can't be less than nothing",
                format!("write for example `{example}`"),
            ),
            _ => (
                "nobody has so many",
                format!("write for example `{example}`"),
            ),
        };
        let what = format!("`{}` can't be {}", field.path, number.as_str());
        field.problems.report(&field.span, what, why, next);
    }
    fits
}

fn within(field: &Field<'_>) -> Option<Within> {
    let example = "within = \"30d\"";
    field.read(example, |text| {
        text.parse::<Within>().map_err(|reason| Unfit {
            what: format!("`{}` can't be {}", field.path, quoted(text)),
            why: reason.to_string(),
            next: format!(
                "write a number and a unit (`h`, `d`, `w`, `mo`, `y`), for example `{example}`"
            ),
        })
    })
}

/// Whether there is such a zone, the machine knows.
fn timezone(text: &str) -> Result<String, Unfit> {
    if !text.trim().is_empty() {
        return Ok(text.to_owned());
    }
    Err(Unfit {
        what: "`retention.timezone` names no time zone".to_owned(),
        why: "it is empty".to_owned(),
        next: "write for example `timezone = \"Europe/Berlin\"`, or remove the line".to_owned(),
    })
}
