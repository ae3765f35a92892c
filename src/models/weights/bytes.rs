//! Numbers out of a file that may be cut short or lie about its lengths: every offset is checked, nothing is read twice.

/// A place in a file.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// At byte `at`.
    pub fn at(bytes: &'a [u8], at: u64) -> Result<Self, String> {
        match usize::try_from(at) {
            Ok(at) if at <= bytes.len() => Ok(Self { bytes, at }),
            _ => Err(format!("it points to byte {at}, but has {}", bytes.len())),
        }
    }

    /// Bytes from the beginning.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| {
            format!("cut short: {n} bytes are announced at byte {}, {} are left", self.at, self.bytes.len() - self.at)
        })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// Passes over `n` bytes.
    pub fn skip(&mut self, n: usize) -> Result<(), String> {
        self.take(n).map(drop)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N)?;
        Ok(std::array::from_fn(|i| taken[i]))
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self) -> Result<u16, String> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    /// Eight bytes, big-endian, as a float.
    pub fn f64_be(&mut self) -> Result<f64, String> {
        self.array().map(f64::from_be_bytes)
    }

    /// Up to and without the next `end`, and past it.
    pub fn until(&mut self, end: u8) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let n = rest.iter().position(|&b| b == end).ok_or("cut short: a name has no end")?;
        self.at += n + 1;
        Ok(&rest[..n])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_end_are_refused_even_near_overflow() {
        let mut cursor = Cursor::new(&[1, 2, 3, 0, 5]);
        assert_eq!(cursor.u16().unwrap(), 513);
        assert!(cursor.clone().take(usize::MAX).unwrap_err().contains("3 are left"));
        assert_eq!(cursor.until(0).unwrap(), [3]);
        assert!(cursor.until(0).is_err());
        assert!(cursor.u32().is_err() && cursor.u8().unwrap() == 5 && cursor.position() == 5);
        assert!(Cursor::at(&[0; 4], 5).is_err());
    }
}
