use super::*;
use proptest::prelude::*;

fn set<T>(value: T) -> Wish<T> {
    Wish { value, set: true }
}

fn default<T>(value: T) -> Wish<T> {
    Wish { value, set: false }
}

const MIB: fn(u64) -> ByteCount = ByteCount::mebibytes;

/// What rclone does on B2 unless it is told otherwise.
fn b2() -> Wishes {
    Wishes {
        transfers: default(4),
        buffer: default(MIB(16)),
        chunks: vec![Chunks {
            backend: "b2".to_owned(),
            unit: MIB(5),
            size: default(MIB(96)),
            concurrency: Some(default(4)),
        }],
        instances: 6,
    }
}

#[test]
fn rclones_defaults_on_b2_come_within_the_default_budget_and_keep_their_concurrency() {
    let Share {
        options,
        small,
        lowered,
        ..
    } = share(MIB(256), &b2());
    let chunks = &options.chunks[0];
    assert_eq!(chunks.size.value, MIB(10));
    assert_eq!(chunks.concurrency.unwrap().value, 4);
    assert_eq!(options.transfers.value, 4);
    assert_eq!(small, 24);
    assert_eq!(lowered, [], "nobody had set it");
}

#[test]
fn with_enough_memory_everything_stays_as_it_is() {
    assert_eq!(share(MIB(4096), &b2()).options, b2());
}

#[test]
fn what_the_owner_set_is_kept_while_something_else_can_give_way() {
    let mut wishes = b2();
    wishes.transfers = set(32);
    let Share {
        options, lowered, ..
    } = share(MIB(256), &wishes);
    assert_eq!(options.transfers.value, 32);
    assert_eq!(lowered, []);
}

#[test]
fn downloads_are_as_many_as_are_read_ahead_within_the_budget_unless_the_owner_set_their_number() {
    let folder = Wishes {
        chunks: Vec::new(),
        ..b2()
    };
    let buffer = folder.buffer.value;
    assert_eq!(share(ByteCount(buffer.0 * 10), &folder).downloads(), 10);
    assert_eq!(share(MIB(4096), &folder).downloads(), 32);
    let least = share(LEAST, &folder);
    let ahead = least.options.buffer.value.0 * u64::from(least.downloads());
    assert!(ahead <= LEAST.0, "{ahead} bytes are read ahead");
    let owners = Wishes {
        transfers: set(7),
        ..folder
    };
    assert_eq!(share(MIB(4096), &owners).downloads(), 7);
}

#[test]
fn what_the_owner_set_and_there_is_no_memory_for_is_lowered_and_told() {
    let mut wishes = b2();
    wishes.transfers = set(64);
    wishes.chunks[0].size = set(MIB(100));
    let lowered = share(MIB(128), &wishes).lowered;
    let told: Vec<_> = lowered
        .iter()
        .map(|it| (&*it.option, &*it.from, &*it.to))
        .collect();
    assert_eq!(
        told,
        [
            ("transfers", "64", "8"),
            ("b2_chunk_size", "100.0 MiB", "10.0 MiB")
        ]
    );
}

#[test]
fn transfers_go_where_files_are_and_each_source_has_one() {
    assert_eq!(divide(4, &[1, 100]), [1, 3]);
    assert_eq!(divide(4, &[2, 2, 2]), [1, 1, 2]);
    assert_eq!(divide(1, &[5, 5, 5]), [1, 1, 1]);
    assert_eq!(divide(32, &[3, 1]), [3, 1]);
    let alike = [1034, 1034, 1034, 1034, 1034, 1030];
    assert_eq!(
        divide(24, &alike),
        [4; 6],
        "none ends long after the others"
    );
}

fn wish<T: std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Wish<T>> {
    (value, any::<bool>()).prop_map(|(value, set)| Wish { value, set })
}

fn chunks() -> impl Strategy<Value = Chunks> {
    let concurrency = proptest::option::of(wish(1..64_u32));
    (0..7_usize, wish(1..200_u64), concurrency).prop_map(|(nth, size, concurrency)| {
        let (backend, unit) = chunks::BACKENDS[nth];
        let Wish { value, set } = size;
        let value = MIB(value).max(unit);
        Chunks {
            backend: backend.to_owned(),
            unit,
            size: Wish { value, set },
            concurrency,
        }
    })
}

fn wishes() -> impl Strategy<Value = Wishes> {
    let chunks = proptest::collection::vec(chunks(), 0..3);
    let buffer = wish((0..100_u64).prop_map(MIB));
    (
        wish(1..200_u32),
        buffer,
        chunks,
        prop_oneof![Just(0), Just(6)],
    )
        .prop_map(|(transfers, buffer, chunks, instances)| Wishes {
            transfers,
            buffer,
            chunks,
            instances,
        })
}

proptest! {
    #[test]
    fn the_budget_is_never_exceeded_and_nothing_is_raised(
        budget in 64..2000_u64,
        wishes in wishes(),
    ) {
        let shared = share(MIB(budget), &wishes);
        prop_assert!(shared.most() <= MIB(budget), "{shared:?}");
        let now = &shared.options;
        prop_assert!(now.transfers.value <= wishes.transfers.value && now.transfers.value >= 1);
        prop_assert!(now.buffer.value <= wishes.buffer.value);
        for (was, is) in wishes.chunks.iter().zip(&now.chunks) {
            prop_assert!(is.unit <= is.size.value && is.size.value <= was.size.value);
            if let (Some(was), Some(is)) = (was.concurrency, is.concurrency) {
                prop_assert!((1..=was.value).contains(&is.value));
            }
        }
    }

    #[test]
    fn what_fits_is_left_alone(budget in 64..2000_u64, wishes in wishes()) {
        let shared = share(MIB(budget), &wishes);
        let again = share(MIB(budget), &shared.options);
        prop_assert_eq!(&again.options, &shared.options);
        prop_assert_eq!(again.lowered, []);
    }

    #[test]
    fn every_source_has_a_transfer_and_none_more_than_it_has_files(
        transfers in 1..100_u32,
        files in proptest::collection::vec(1..50_usize, 1..4),
    ) {
        let given = divide(transfers, &files);
        let sources = u32::try_from(files.len()).unwrap();
        prop_assert!(given.iter().sum::<u32>() <= transfers.max(sources));
        for (given, files) in given.iter().zip(&files) {
            prop_assert!(*given >= 1 && *given as usize <= *files);
        }
    }
}
