//! A timeout that is asked for again and again, and hardly ever comes.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep};

/// Limits the time of futures of one thread, always inside the same runtime of Tokio. A timer that is set and taken back for each of
/// them takes ten locked instructions; the one of the last is left to stand instead, and set anew where it would be late or has rung
/// for nothing.
#[derive(Debug, Default)]
pub struct StandingTimeout {
    spare: RefCell<Option<SetTimer>>,
}

impl StandingTimeout {
    /// What `future` comes to, or `None` where it has not by `deadline`.
    pub async fn limit<F: Future>(&self, deadline: Instant, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut timer = None;
        let output = poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let timer = timer.get_or_insert_with(|| self.spare.take().unwrap_or_else(|| SetTimer::new(deadline)));
            timer.poll(cx, deadline).map(|()| None)
        })
        .await;
        if timer.is_some() {
            self.spare.replace(timer);
        }
        output
    }
}

/// A timer, and whom it wakes.
#[derive(Debug)]
struct SetTimer {
    sleep: Pin<Box<Sleep>>,
    /// Who is woken, if it was polled since it was set.
    waker: Option<Waker>,
}

impl SetTimer {
    fn new(deadline: Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(deadline)), waker: None }
    }

    fn set(&mut self, deadline: Instant) {
        self.sleep.as_mut().reset(deadline);
        self.waker = None;
    }

    /// Ready at `deadline`; at the latest then it wakes who polls.
    fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.sleep.deadline() > deadline {
            self.set(deadline);
        }
        let is_awaited = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if is_awaited && !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        // Without the budget of the task: a timer that is refused for want of it is not set, and would be taken for one that is.
        while pin!(unconstrained(self.sleep.as_mut())).poll(cx).is_ready() {
            if self.sleep.deadline() == deadline {
                return Poll::Ready(());
            }
            self.set(deadline);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use tokio::runtime::{Builder, LocalOptions};
    use tokio::task::{spawn_local, yield_now};

    use super::*;

    const NEVER: Duration = Duration::from_secs(3600);

    fn after(ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = Builder::new_current_thread().enable_time().build_local(LocalOptions::default());
        runtime.unwrap().block_on(test);
    }

    /// What takes for ever ends when its time is up, not before.
    async fn check_ends(timeout: &StandingTimeout, deadline: Instant) {
        assert_eq!(timeout.limit(deadline, std::future::pending::<()>()).await, None);
        assert!(Instant::now() >= deadline);
    }

    async fn check_passes(timeout: &StandingTimeout, deadline: Instant) {
        assert_eq!(timeout.limit(deadline, async { 1 }).await, Some(1), "at once");
        let waits = async {
            yield_now().await;
            2
        };
        assert_eq!(timeout.limit(deadline, waits).await, Some(2), "later");
    }

    #[test]
    fn each_has_its_own_limit() {
        run(async {
            let timeout = StandingTimeout::default();
            let late = Instant::now() + NEVER;
            check_passes(&timeout, late).await;
            check_passes(&timeout, after(1 << 24)).await;
            assert_eq!(
                timeout.spare.borrow().as_ref().map(|timer| timer.sleep.deadline()),
                Some(late),
                "the first stands"
            );
            // It would be late.
            check_ends(&timeout, after(5)).await;
            // It has rung.
            check_passes(&timeout, late).await;
            check_passes(&timeout, after(20)).await;
            // It rings too early.
            check_ends(&timeout, after(60)).await;
            check_ends(&timeout, Instant::now()).await;
            check_ends(&timeout, after(5)).await;
        });
    }

    #[test]
    fn another_task_is_woken_by_the_timer_of_the_last() {
        run(async {
            let timeout = Rc::new(StandingTimeout::default());
            check_passes(&timeout, after(20)).await;
            for _ in 0..3 {
                let timeout = timeout.clone();
                spawn_local(async move { check_ends(&timeout, after(30)).await }).await.unwrap();
            }
        });
    }

    #[test]
    fn several_at_once_have_each_a_timer() {
        run(async {
            let timeout = Rc::new(StandingTimeout::default());
            let ended = Rc::new(Cell::new(0));
            for ms in [30, 10, 20, 10] {
                let (timeout, ended) = (timeout.clone(), ended.clone());
                spawn_local(async move {
                    check_ends(&timeout, after(ms)).await;
                    ended.set(ended.get() + 1);
                });
            }
            check_ends(&timeout, after(60)).await;
            while ended.get() < 4 {
                yield_now().await;
            }
        });
    }

    #[test]
    fn a_limit_holds_also_for_a_task_that_has_used_up_its_turn() {
        run(async {
            let timeout = StandingTimeout::default();
            let deadline = after(20);
            let mut turns = 0;
            let spends = poll_fn(|cx| {
                // All of the budget of this turn is gone before the timer is asked.
                turns += 1;
                while let Poll::Ready(turn) = tokio::task::coop::poll_proceed(cx) {
                    turn.made_progress();
                }
                Poll::<()>::Pending
            });
            assert_eq!(timeout.limit(deadline, spends).await, None);
            assert!(Instant::now() >= deadline && turns > 0);
        });
    }
}
