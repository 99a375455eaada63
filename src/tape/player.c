/* Plays a tape in a child process, and makes the agent's own system calls. All that runs between
   clone and execve is this file: no allocation, no policy, no header, and no libc but syscall(2). */

typedef long word;
typedef word (*syscall_function)(word, word, word, word, word, word, word);

#define TOLERATED 6
#define PARK (-1)
#define FORK (-2)
#define LOAD (-3)
#define ENOENT 2
#define EAGAIN 11
#define TRIES 128

/* As shells report a program that is not there, or that cannot be executed. */
#define NOT_FOUND 127
#define NOT_EXECUTABLE 126

/* encode.ts writes these two. */
struct op {
  word number, result, registers, next;
  word args[6];
  word tolerated[TOLERATED][2];
};

struct machine {
  word write, read, close, exit, clone3;
  word control, agent, count;
  word *registers;
  struct op *ops;
};

word launch(struct machine *m, word *clone_args, word size);

static syscall_function system_call;
static int *error;

/* One system call now: its result, or the errno negated. */
word perform(word number, word a, word b, word c, word d, word e, word f) {
  word result = system_call(number, a, b, c, d, e, f);
  return result == -1 ? -(word)*error : result;
}

/* Whether the agent will read it: 0 for a park, an errno, or a pid negated. */
static int report(struct machine *m, word index, word cause) {
  word message[2];
  message[0] = index;
  message[1] = cause;
  return perform(m->write, m->control, (word)message, sizeof message, 0, 0, 0) == sizeof message;
}

/* A filter that the tape has loaded may forbid to exit, but not to die of a signal. */
static void leave(struct machine *m, word status) {
  for (;;) {
    perform(m->exit, status, 0, 0, 0, 0, 0);
    *(volatile int *)0 = 0;
  }
}

static word argument(struct machine *m, struct op *o, int i) {
  return (o->registers >> i) & 1 ? m->registers[o->args[i]] : o->args[i];
}

/* Whether the agent says go on. */
static int told(struct machine *m) {
  char go;
  return perform(m->read, m->control, (word)&go, 1, 0, 0, 0) == 1;
}

/* Go on in a new process. It waits until the agent knows of it, and the old one is over. */
static word fork_on(struct machine *m, word index, word *args) {
  word pid = perform(m->clone3, args[0], args[1], 0, 0, 0, 0);
  if (pid > 0) leave(m, report(m, index, -pid) ? 0 : 1);
  if (pid == 0 && !told(m)) leave(m, 1);
  return pid;
}

static void play(struct machine *m) {
  word i = 0;
  /* While the child holds a copy of the agent's end, no read of its own end sees the agent go. */
  perform(m->close, m->agent, 0, 0, 0, 0, 0);
  while (i < m->count) {
    struct op *o = &m->ops[i];
    word result;
    int k, tries = 0;
    if (o->number == PARK) {
      /* A register holds what is for the agent. Who cannot say that it waits must not wait. */
      word given = o->result < 0 ? 0 : m->registers[o->result];
      if (!report(m, i, given) || !told(m)) leave(m, 1);
      i = o->next;
      continue;
    }
    if (o->number == FORK) {
      result = fork_on(m, i, o->args);
    } else if (o->number == LOAD) {
      result = *(unsigned short *)o->args[0];
    } else {
      /* openat2 gives EAGAIN for a `..` while anything else on the machine is mounted or renamed. */
      do {
        result = perform(o->number, argument(m, o, 0), argument(m, o, 1), argument(m, o, 2),
                         argument(m, o, 3), argument(m, o, 4), argument(m, o, 5));
      } while (result == -EAGAIN && ++tries < TRIES);
    }
    if (result >= 0 || result < -4095) {
      if (o->result >= 0) m->registers[o->result] = result;
      i = o->next;
      continue;
    }
    for (k = 0; k < TOLERATED && o->tolerated[k][0] != -result; k++) {}
    if (k == TOLERATED) {
      report(m, i, -result);
      leave(m, result == -ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
    }
    i = o->tolerated[k][1];
  }
  leave(m, 0);
}

/* Clone a child that plays the tape; its pid, or the errno negated. */
word launch(struct machine *m, word *clone_args, word size) {
  word pid = perform(m->clone3, (word)clone_args, size, 0, 0, 0, 0);
  if (pid == 0) play(m);
  return pid;
}

/* Called first. Into `addresses`: the two functions that the agent calls, and where a child reads and writes,
   but for its tape, its stack, libc and errno: it may not be kept from it. */
void setup(syscall_function function, int *location, word *addresses) {
  system_call = function;
  error = location;
  addresses[0] = (word)perform;
  addresses[1] = (word)launch;
  addresses[2] = (word)&system_call;
}
