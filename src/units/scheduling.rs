//! How the system shares its processors among threads (sched(7)).

/// From now on this thread, when it wakes, takes no processor from a thread that is at work (`SCHED_BATCH`): it gets one that is free,
/// or its turn. What it has sent to a program on the same machine is answered by the time it looks; else the two interrupt each
/// other for every message. Nothing changes where it is not scheduled as usual already.
/// Threads and programs that it starts are scheduled like it, unless they ask [not to be](as_usual).
pub fn without_preempting() {
    change(libc::SCHED_OTHER, libc::SCHED_BATCH);
}

/// This thread, which one of [those](without_preempting) may have started, is scheduled as usual.
pub fn as_usual() {
    change(libc::SCHED_BATCH, libc::SCHED_OTHER);
}

/// Starts a program that is scheduled as usual, whatever thread this is.
#[cfg(any(feature = "browser", test))]
pub fn started_as_usual<T>(start: impl FnOnce() -> T) -> T {
    let gave_way = change(libc::SCHED_BATCH, libc::SCHED_OTHER);
    let started = start();
    if gave_way {
        change(libc::SCHED_OTHER, libc::SCHED_BATCH);
    }
    started
}

/// Gives the calling thread another policy if it has that one: true where it has it now. A refusal changes nothing.
fn change(from: libc::c_int, to: libc::c_int) -> bool {
    // SAFETY: 0 is the calling thread, the kernel reads the parameters during the call only, and all of them may be zero. musl's
    // functions of these names do nothing.
    unsafe {
        let parameters: libc::sched_param = std::mem::zeroed();
        libc::syscall(libc::SYS_sched_getscheduler, 0) == libc::c_long::from(from)
            && libc::syscall(libc::SYS_sched_setscheduler, 0, to, &raw const parameters) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_way_and_what_it_starts_need_not() {
        fn policy() -> libc::c_long {
            // SAFETY: takes no memory; 0 is the calling thread.
            unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) }
        }
        fn of_another() -> libc::c_long {
            std::thread::spawn(policy).join().unwrap()
        }
        let giving_way = || {
            without_preempting();
            [of_another(), started_as_usual(of_another), policy()]
        };
        let [batch, other] = [libc::SCHED_BATCH, libc::SCHED_OTHER].map(libc::c_long::from);
        assert_eq!(std::thread::spawn(giving_way).join().unwrap(), [batch, other, batch]);
        assert_eq!(of_another(), other);
    }
}
