//! What the process itself uses, under the names that every Prometheus client gives it. Only Linux tells.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

/// Reads it when it is asked for.
#[derive(Debug)]
pub(super) struct Usage;

#[cfg(not(target_os = "linux"))]
impl Collector for Usage {
    fn encode(&self, _: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
impl Collector for Usage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        use prometheus_client::encoding::EncodeMetric as _;
        use prometheus_client::metrics::counter::ConstCounter;
        use prometheus_client::metrics::gauge::ConstGauge;
        use prometheus_client::registry::Unit::{Bytes, Seconds};

        let Some(found) = Found::now() else {
            return Ok(());
        };
        let cpu = ConstCounter::new(found.cpu_seconds);
        let described = encoder.encode_descriptor(
            "process_cpu",
            "Time on a processor",
            Some(&Seconds),
            cpu.metric_type(),
        )?;
        cpu.encode(described)?;
        for (name, help, unit, value) in [
            (
                "process_resident_memory",
                "Memory that is in use",
                Some(&Bytes),
                found.resident_bytes,
            ),
            (
                "process_open_fds",
                "Open files and sockets",
                None,
                found.open_files,
            ),
            (
                "process_start_time",
                "When it started, in Unix time",
                Some(&Seconds),
                found.started,
            ),
        ] {
            let gauge = ConstGauge::new(value);
            let described = encoder.encode_descriptor(name, help, unit, gauge.metric_type())?;
            gauge.encode(described)?;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
struct Found {
    cpu_seconds: f64,
    resident_bytes: f64,
    open_files: f64,
    started: f64,
}

#[cfg(target_os = "linux")]
impl Found {
    /// None where the system does not say.
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is lost is less than a billionth"
    )]
    fn now() -> Option<Self> {
        use procfs::{CurrentSI as _, KernelStats, WithCurrentSystemInfo as _};

        let this = procfs::process::Process::myself().ok()?;
        let stat = this.stat().ok()?;
        let per_second = procfs::ticks_per_second() as f64;
        let booted = KernelStats::current().ok()?.btime as f64;
        Some(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / per_second,
            resident_bytes: stat.rss_bytes().get() as f64,
            open_files: this.fd_count().ok()? as f64,
            started: booted + stat.starttime as f64 / per_second,
        })
    }
}
