//! Data that looks random and is the same in every run.

/// A stream of pseudo-random numbers (`SplitMix64`), of no cryptographic worth.
#[derive(Debug, Clone)]
pub struct Random(u64);

const WORDS: &[&str] = &[
    "amber", "archive", "answer", "because", "between", "bridge", "candle", "chapter", "clear",
    "copal", "document", "evening", "every", "explain", "forest", "garden", "harbour", "however",
    "index", "journey", "kettle", "ladder", "letter", "library", "market", "measure", "model",
    "morning", "mountain", "never", "number", "orchard", "paper", "pattern", "please", "question",
    "quiet", "reason", "river", "sentence", "several", "shadow", "signal", "simple", "silver",
    "stone", "summary", "table", "thank", "thread", "through", "travel", "under", "vector",
    "village", "water", "weather", "window", "winter", "without", "wonder", "write",
];

impl Random {
    /// The stream called `name` of a seed; streams with different names share nothing.
    pub fn new(seed: u64, name: &str) -> Self {
        // FNV-1a: enough to keep names apart.
        let start = seed ^ 0xcbf2_9ce4_8422_2325;
        Self(name.bytes().fold(start, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a usize fits in 64 bits");
        usize::try_from(self.number() % bound).expect("less than a usize")
    }

    /// Bytes that no compressor can shorten.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| self.number().to_le_bytes())
            .take(length.div_ceil(8))
            .flatten()
            .collect();
        bytes.truncate(length);
        bytes
    }

    /// A version-4 UUID in its usual spelling.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.number(), self.number());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48) & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }

    /// One of several things.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// So many words, separated by spaces.
    pub fn words(&mut self, count: usize) -> String {
        let words: Vec<_> = (0..count).map(|_| *self.pick(WORDS)).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_name_give_the_same_data() {
        let text = |seed, name| Random::new(seed, name).words(8);
        assert_eq!(text(1, "a"), text(1, "a"));
        assert_ne!(text(1, "a"), text(1, "b"));
        assert_ne!(text(1, "a"), text(2, "a"));
    }

    #[test]
    fn a_uuid_has_the_usual_form() {
        let uuid = Random::new(7, "uuid").uuid();
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!(&uuid[14..15], "4", "{uuid}");
    }

    #[test]
    fn bytes_come_in_the_length_that_was_asked_for() {
        for length in [0, 1, 7, 8, 9] {
            assert_eq!(Random::new(7, "bytes").bytes(length).len(), length);
        }
    }
}
