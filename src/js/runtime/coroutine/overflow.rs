//! The last resort: what runs into the guard below its stack ends its thread, not the process.
//!
//! Engines have limits that end in exceptions; this is for what gets past them. The signal handler makes the coroutine
//! return to the thread's own stack, where what was measured is handed over. After that the thread does nothing any more:
//! what stood on the lost stack may have been in the middle of anything.

use std::cell::{Cell, RefCell};
use std::sync::OnceLock;

/// Called before a thread is given up.
type OverflowHandler = Box<dyn FnOnce()>;

thread_local! {
    static ON_OVERFLOW: RefCell<Option<OverflowHandler>> = const { RefCell::new(None) };
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Calls `handler` when a stack of this thread has overflowed, on the thread's own stack; the thread does nothing after it.
pub fn on_overflow(handler: impl FnOnce() + 'static) {
    ON_OVERFLOW.set(Some(Box::new(handler)));
}

/// Calls the overflow handler and parks the thread for ever.
pub(super) fn give_thread_up() -> ! {
    if let Some(handler) = ON_OVERFLOW.take() {
        handler();
    }
    loop {
        std::thread::park();
    }
}

/// Makes this thread notice when one of its coroutines overflows its stack.
pub(super) fn watch_thread() {
    if !IS_WATCHED.replace(true) {
        static HANDLER: OnceLock<()> = OnceLock::new();
        HANDLER.get_or_init(handler::install);
        handler::give_stack();
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod handler {
    use std::ffi::c_int;
    use std::sync::OnceLock;

    use corosensei::trap::TrapHandlerRegs;

    use super::super::stack::GUARD_BYTES;
    use super::super::{CURRENT, CoroutineEnd};

    /// What was done about SIGSEGV before: std's handler, which knows the stacks of threads.
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

    type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);

    /// Once per process.
    pub fn install() {
        // SAFETY: an empty set of signals and a handler that does only what signal handlers may; what was there before is
        // kept before ours can be called for it.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGSEGV, std::ptr::null(), &mut before) != 0 {
                return;
            }
            let _ = BEFORE.set(before);
            let mut ours: libc::sigaction = std::mem::zeroed();
            ours.sa_sigaction = on_fault as Handler as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&mut ours.sa_mask);
            libc::sigaction(libc::SIGSEGV, &ours, std::ptr::null_mut());
        }
    }

    /// A stack for the handler, where this thread has none yet: std gives its threads one.
    pub fn give_stack() {
        const BYTES: usize = 64 << 10;
        // SAFETY: the memory is the handler's for ever, as the thread may run on it at any time.
        unsafe {
            let mut known: libc::stack_t = std::mem::zeroed();
            if libc::sigaltstack(std::ptr::null(), &mut known) == 0 && known.ss_flags & libc::SS_DISABLE != 0 {
                let memory = Box::leak(vec![0u8; BYTES].into_boxed_slice());
                let ours = libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: BYTES };
                libc::sigaltstack(&ours, std::ptr::null_mut());
            }
        }
    }

    extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        let current = CURRENT.get();
        // SAFETY: the kernel gives a fault's handler its address and the registers, which the handler may change. The
        // coroutine is the one that runs: it is in the guard of its own stack.
        unsafe {
            let address = (*info).si_addr().addr();
            let guard = current.limit.wrapping_sub(GUARD_BYTES)..current.limit;
            if let (Some(trap), true) = (current.trap, guard.contains(&address)) {
                let registers = trap.setup_trap_handler(|| CoroutineEnd::Overflowed);
                resume_at(&mut *context.cast::<libc::ucontext_t>(), &registers);
                return;
            }
        }
        pass_on(signal, info, context);
    }

    #[cfg(target_arch = "x86_64")]
    fn resume_at(context: &mut libc::ucontext_t, registers: &TrapHandlerRegs) {
        let TrapHandlerRegs { rip, rsp, rbp, rdi, rsi } = *registers;
        let saved = &mut context.uc_mcontext.gregs;
        for (register, value) in [
            (libc::REG_RIP, rip),
            (libc::REG_RSP, rsp),
            (libc::REG_RBP, rbp),
            (libc::REG_RDI, rdi),
            (libc::REG_RSI, rsi),
        ] {
            saved[register as usize] = value as i64;
        }
    }

    #[cfg(target_arch = "aarch64")]
    fn resume_at(context: &mut libc::ucontext_t, registers: &TrapHandlerRegs) {
        let TrapHandlerRegs { pc, sp, x0, x1, x29, lr } = *registers;
        let saved = &mut context.uc_mcontext;
        (saved.pc, saved.sp) = (pc, sp);
        for (register, value) in [(0, x0), (1, x1), (29, x29), (30, lr)] {
            saved.regs[register] = value;
        }
    }

    /// Any other fault is what it was before.
    fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        let Some(before) = BEFORE.get() else { return };
        // SAFETY: what was installed as a handler is called as one, with what the kernel gave; without one the default is
        // put back, and the fault happens again when we return.
        unsafe {
            match before.sa_sigaction {
                libc::SIG_DFL | libc::SIG_IGN => {
                    let mut default: libc::sigaction = std::mem::zeroed();
                    default.sa_sigaction = libc::SIG_DFL;
                    libc::sigaction(signal, &default, std::ptr::null_mut());
                }
                handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
                    std::mem::transmute::<usize, Handler>(handler)(signal, info, context);
                }
                handler => std::mem::transmute::<usize, extern "C" fn(c_int)>(handler)(signal),
            }
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod handler {
    /// On other processors a fault ends the process.
    pub fn install() {}

    /// Nothing to give.
    pub fn give_stack() {}
}
