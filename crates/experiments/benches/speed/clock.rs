//! CPU time of this thread: what others do on the machine does not count.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

/// What something takes, and what it returns.
pub fn thread_time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = now();
    let result = work();
    (now() - began, result)
}
