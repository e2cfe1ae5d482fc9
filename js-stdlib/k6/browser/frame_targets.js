// The targets of a page: its own and, where the browser gives frames of other sites a process of their own, that of each such frame.
// What the page is told all of them are told, those that come later too. An expression, called with what the parts share.
(env) => {
const { primordials } = env;
const { all, hide, includes, messageOf, push, quiet, select, then, without } = env.load('session');
const { WORLD } = env.load('execution');
const { ObjectKeys } = primordials;

// What a command says whose frame has gone on to another target, or has gone.
const GONE = 'Execution context was destroyed.';

// Pages in one process share locale and time zone; they belong to one context, so the value is the same.
function isSetAlready(error) {
  if (!includes(messageOf(error), 'already in effect')) throw error;
}

class Targets {
  constructor(page) {
    hide(this, { page, sessions: [page.session], listeners: [], told: { __proto__: null } });
  }

  has(sessionId) { return select(this.sessions, (session) => session.id === sessionId).length > 0; }

  // Such events of all targets are handled, with the session they are from; returns what ends it.
  on(event, handler, texts) {
    const listener = { event, handler, texts };
    push(this.listeners, listener);
    for (let at = 0; at < this.sessions.length; at++) this.sessions[at].on(event, handler, texts);
    return () => {
      this.listeners = without(this.listeners, listener);
      for (let at = 0; at < this.sessions.length; at++) this.sessions[at].off(event, handler);
    };
  }

  // Tells all targets, and every one that comes the last that was said by this command.
  tell(method, params) {
    this.told[method] = params;
    return this.tellOnce(method, params);
  }

  // Tells the targets that there are.
  tellOnce(method, params) {
    const { sessions } = this;
    const own = then(sessions[0].send(method, params), undefined, isSetAlready);
    if (sessions.length === 1) return own;
    const sent = [own];
    for (let at = 1; at < sessions.length; at++) {
      const session = sessions[at];
      push(sent, then(session.send(method, params), undefined, (error) => { if (session.isOpen) isSetAlready(error); }));
    }
    return all(sent);
  }

  forget(method) { delete this.told[method]; }

  // A frame gets a target: for its next document, or with the one it has, where its page has been kept and is back.
  adopt(session, { targetId, parentFrameId, parentId }) {
    const { page, listeners, told } = this;
    session.gone = GONE;
    push(this.sessions, session);
    session.whenEnded(() => this.#ended(session, targetId));
    for (let at = 0; at < listeners.length; at++) session.on(listeners[at].event, listeners[at].handler, listeners[at].texts);
    if (page.frameById(targetId) === undefined) page.addKept(targetId, page.frameById(parentFrameId ?? parentId) ?? page.mainFrame(), session);
    // The iteration does not wait for any of it.
    const send = (method, params) => session.send(method, params, true);
    quiet(send('Page.enable'));
    quiet(then(send('Page.getFrameTree'), ({ frameTree }) => page.adoptTarget(frameTree, session)));
    quiet(send('Page.setLifecycleEventsEnabled', { enabled: true }));
    quiet(send('Runtime.enable'));
    quiet(send('Network.enable'));
    quiet(send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }));
    const methods = ObjectKeys(told);
    for (let at = 0; at < methods.length; at++) quiet(send(methods[at], told[methods[at]]));
    // So that each document has our world, as those of the page.
    quiet(send('Page.addScriptToEvaluateOnNewDocument', { source: '0', worldName: WORLD, runImmediately: true }));
    const { scripts } = page.ofContext;
    for (let at = 0; at < scripts.length; at++) quiet(send('Page.addScriptToEvaluateOnNewDocument', { source: scripts[at], runImmediately: true }));
    quiet(send('Runtime.runIfWaitingForDebugger'));
  }

  // The page has ended.
  end() {
    for (let at = 1; at < this.sessions.length; at++) this.sessions[at].end();
  }

  // Its frame is in the target of the frame around it again, unless it has gone.
  #ended(session, frameId) {
    const { page } = this;
    this.sessions = without(this.sessions, session);
    page.dropWorlds(session);
    const frame = page.frameById(frameId);
    if (frame === undefined || frame.session !== session) return;
    page.dropChildren(frame);
    frame.session = frame.parent.session;
  }
}

return { GONE, Targets };
}
