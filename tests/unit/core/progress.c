#include "core/progress.h"

static int calls;

static void count(MkProgress *root, MkProgress *step, gpointer user_data)
{
    g_assert_true(user_data == &calls);
    g_assert_cmpstr(mk_progress_name(root), ==, "flash");
    calls++;
}

static void test_fraction_follows_weights(void)
{
    g_autoptr(MkProgress) root = mk_progress_new("flash");
    mk_progress_listen(root, count, &calls);
    MkProgress *one = mk_progress_add(root, "boot", 100), *two = mk_progress_add(root, "system", 300);
    g_assert_cmpfloat(mk_progress_fraction(root), ==, 0);
    mk_progress_set(one, 5, 10);
    g_assert_cmpfloat(mk_progress_fraction(root), ==, 0.125);
    mk_progress_done(one);
    mk_progress_set(two, 999, 300); /* never more than all */
    g_assert_cmpfloat(mk_progress_fraction(root), ==, 1);
    g_assert_false(mk_progress_is_done(root));
    g_assert_cmpint(calls, ==, 3);
}

static void test_null_is_quiet(void)
{
    MkProgress *none = mk_progress_add(NULL, "x", 1);
    g_assert_null(none);
    mk_progress_set(none, 1, 2);
    mk_progress_done(none);
    g_assert_cmpfloat(mk_progress_fraction(none), ==, 0);
}

/* A rate is about what this run did, not about what it found done. */
static void test_moved_leaves_out_what_was_there(void)
{
    g_autoptr(MkProgress) root = mk_progress_new("all");
    MkProgress *step = mk_progress_add(root, "save", 100);
    g_assert_cmpuint(mk_progress_step_moved(step), ==, 0);
    mk_progress_set(step, 40, 100);
    g_assert_cmpuint(mk_progress_step_moved(step), ==, 0);
    mk_progress_set(step, 90, 100);
    g_assert_cmpuint(mk_progress_step_moved(step), ==, 50);
    g_assert_cmpuint(mk_progress_step_done(step), ==, 90);
    mk_progress_done(step);
    g_assert_cmpuint(mk_progress_step_moved(step), ==, 60);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress/fraction-follows-weights", test_fraction_follows_weights);
    g_test_add_func("/progress/moved-leaves-out-what-was-there", test_moved_leaves_out_what_was_there);
    g_test_add_func("/progress/null-is-quiet", test_null_is_quiet);
    return g_test_run();
}
