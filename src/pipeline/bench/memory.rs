//! How much memory this process has held at most, where the system tells.

/// Bytes; `None` where there is no `/proc`.
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(1024 * kilobytes)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn a_test_holds_a_few_megabytes_at_least() {
        assert!(super::peak().unwrap() > 1 << 20);
    }
}
