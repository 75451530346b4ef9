//! On what it was measured.

use std::fs::read_to_string;
use std::process::Command;
use std::thread::available_parallelism;

/// Processor, memory, kernel, compiler; what can't be found out is left out.
pub(crate) fn facts() -> String {
    let processor = field("/proc/cpuinfo", "model name");
    let cores = available_parallelism().ok().map(|cores| format!("{cores} cores"));
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
        .map(|kilobytes| format!("{} GiB of memory", (kilobytes + 512 * 1024) / (1024 * 1024)));
    let kernel = read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| format!("Linux {}", text.trim()));
    let compiler = Command::new("rustc")
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|text| text.trim().to_owned());
    [processor, cores, memory, kernel, compiler].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What stands after `name:` in a file of such lines.
pub(crate) fn field(path: &str, name: &str) -> Option<String> {
    let text = read_to_string(path).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
