//! Median and spread.

/// The smallest, the middle and the largest of some numbers.
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of at least one number; of an even count, the median is the mean of the middle two.
    pub(crate) fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len() - 1;
        Self {
            low: numbers[0],
            median: f64::midpoint(numbers[last / 2], numbers[last.div_ceil(2)]),
            high: numbers[last],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let spread = Spread::of(vec![3.0, 1.0, 2.0]);
        assert_eq!(
            [spread.low, spread.median, spread.high].map(f64::to_bits),
            [1.0, 2.0, 3.0].map(f64::to_bits)
        );
        let even = Spread::of(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!(even.median.to_bits(), 2.5_f64.to_bits());
    }
}
