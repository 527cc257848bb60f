"""The stand-ins for threading's locks, beside the originals."""

import copy
import queue
import threading
import time
import unittest
from unittest import mock
from weakref import ref

from django_on_workers.runtime import locks

from .test_locals import scope

KINDS = (threading.Lock, locks.Lock, threading.RLock, locks.RLock)


class LockTests(unittest.TestCase):
    def run(self, result=None):
        """In a scope: one inside it is another's."""
        return scope(lambda: super(LockTests, self).run(result))

    def each(self, kinds=KINDS):
        for kind in kinds:
            with self.subTest(f"{kind.__module__}.{kind.__name__}"):
                yield kind()

    def test_taken_and_let_go(self):
        for lock in self.each():
            with lock as taken:
                self.assertTrue(taken)
                self.assertIn("<locked ", repr(lock))
            self.assertTrue(lock.acquire(timeout=0))
            lock.release()
            self.assertIn("<unlocked ", repr(lock))
            with self.assertRaises(RuntimeError):
                lock.release()

    def test_let_go_when_a_block_fails(self):
        for lock in self.each():
            with self.assertRaises(ZeroDivisionError), lock:
                1 / 0  # noqa: B018
            self.assertTrue(lock.acquire(False))

    def test_arguments_that_make_no_sense(self):
        for lock in self.each():
            for arguments in ((False, 1), (True, -2)):
                with self.assertRaises(ValueError):
                    lock.acquire(*arguments)

    def test_as_objects(self):
        for lock in self.each():
            self.assertIs(ref(lock)(), lock)
            with self.assertRaises(TypeError):
                copy.deepcopy(lock)

    def test_a_lock_is_taken_once(self):
        for lock in self.each((threading.Lock, locks.Lock)):
            lock.acquire()
            self.assertTrue(lock.locked())
            self.assertFalse(lock.acquire(blocking=False))
            self.assertFalse(lock.acquire(timeout=0.001))

    def test_a_lock_that_another_scope_has(self):
        for lock in self.each((locks.Lock, locks.RLock)):
            lock.acquire()
            self.assertFalse(scope(lambda lock=lock: lock.acquire(blocking=False)))
            lock.release()
            self.assertTrue(scope(lambda lock=lock: lock.acquire(blocking=False)))

    def test_a_lock_is_anybodys_to_release(self):
        lock, owned = locks.Lock(), locks.RLock()
        lock.acquire()
        owned.acquire()
        scope(lock.release)
        self.assertFalse(lock.locked())
        with self.assertRaises(RuntimeError):
            scope(owned.release)

    def test_who_has_it_takes_it_again(self):
        for lock in self.each((threading.RLock, locks.RLock)):
            with lock, lock:
                self.assertEqual(lock._recursion_count(), 2)
            self.assertEqual(lock._recursion_count(), 0)

    def test_who_waits_has_it_when_it_is_free(self):
        for lock in self.each((locks.Lock, locks.RLock)):
            lock.acquire()
            slept = []

            def sleep(seconds, lock=lock, slept=slept):
                slept.append(seconds)
                if len(slept) == 7:
                    lock._owner = None

            with mock.patch.object(time, "sleep", sleep):
                self.assertTrue(scope(lock.acquire))
            self.assertEqual(slept, [0.001, 0.002, 0.004, 0.008, 0.016, 0.02, 0.02])

    def test_who_has_had_it_for_a_minute_is_told_of(self):
        for lock in self.each((locks.Lock, locks.RLock)):
            lock.acquire()
            clock = iter(range(1000))
            with (
                mock.patch.object(time, "sleep", lambda seconds: None),
                mock.patch.object(time, "monotonic", lambda clock=clock: next(clock)),
                self.assertRaisesRegex(RuntimeError, "has held this lock for a minute"),
            ):
                scope(lock.acquire)
            self.assertEqual(next(clock), 61)

    def test_what_is_made_of_them(self):
        with (
            mock.patch.object(threading, "Lock", locks.Lock),
            mock.patch.object(threading, "RLock", locks.RLock),
            mock.patch.object(threading, "_allocate_lock", locks.Lock),
        ):
            condition, event, jobs = threading.Condition(), threading.Event(), queue.Queue()
            simple = queue._PySimpleQueue()
            with condition, condition:
                self.assertFalse(condition.wait(0.01))
                self.assertEqual(condition._lock._recursion_count(), 2)
            with self.assertRaises(RuntimeError):
                condition.notify()
            self.assertFalse(event.wait(0.01))
            for each in (jobs, simple):
                with self.assertRaises(queue.Empty):
                    each.get(timeout=0.01)
                each.put(1)
                self.assertEqual(each.get(), 1)


if __name__ == "__main__":
    unittest.main()
