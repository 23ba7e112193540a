#include "core/progress.h"

struct _MkProgress {
    char *name;
    MkProgress *parent; /* NULL: root */
    GPtrArray *children;
    uint64_t weight, done, total;
    uint64_t found; /* of it, when the step began: an earlier run had done it */
    gint64 started;
    bool finished;
    MkProgressFunc func; /* root only */
    gpointer user_data;
};

MkProgress *mk_progress_new(const char *name)
{
    MkProgress *step = g_new0(MkProgress, 1);
    step->name = g_strdup(name);
    step->weight = 1;
    step->children = g_ptr_array_new_with_free_func((GDestroyNotify)mk_progress_free);
    return step;
}

void mk_progress_free(MkProgress *root)
{
    if (!root)
        return;
    g_ptr_array_unref(root->children);
    g_free(root->name);
    g_free(root);
}

void mk_progress_listen(MkProgress *root, MkProgressFunc func, gpointer user_data)
{
    if (!root)
        return;
    root->func = func;
    root->user_data = user_data;
}

static void tell(MkProgress *step)
{
    MkProgress *root = step;
    while (root->parent)
        root = root->parent;
    if (root->func)
        root->func(root, step, root->user_data);
}

MkProgress *mk_progress_add(MkProgress *parent, const char *name, uint64_t weight)
{
    if (!parent)
        return NULL;
    MkProgress *step = mk_progress_new(name);
    step->parent = parent;
    step->weight = MAX(weight, 1);
    g_ptr_array_add(parent->children, step);
    return step;
}

static void start(MkProgress *step)
{
    for (; step && !step->started; step = step->parent)
        step->started = g_get_monotonic_time();
}

void mk_progress_set(MkProgress *step, uint64_t done, uint64_t total)
{
    if (!step)
        return;
    if (!step->started)
        step->found = done;
    start(step);
    step->done = total ? MIN(done, total) : done;
    step->total = total;
    tell(step);
}

void mk_progress_done(MkProgress *step)
{
    if (!step || step->finished)
        return;
    start(step);
    step->finished = true;
    if (step->total)
        step->done = step->total;
    tell(step);
}

const char *mk_progress_name(const MkProgress *step)
{
    return step ? step->name : "";
}

uint64_t mk_progress_step_done(const MkProgress *step)
{
    return step ? step->done : 0;
}

uint64_t mk_progress_step_moved(const MkProgress *step)
{
    return step && step->done > step->found ? step->done - step->found : 0;
}

uint64_t mk_progress_step_total(const MkProgress *step)
{
    return step ? step->total : 0;
}

double mk_progress_fraction(const MkProgress *step)
{
    if (!step)
        return 0;
    if (step->finished)
        return 1;
    if (!step->children->len)
        return step->total ? (double)step->done / (double)step->total : 0;
    double sum = 0, weights = 0;
    for (guint i = 0; i < step->children->len; i++) {
        const MkProgress *child = step->children->pdata[i];
        sum += mk_progress_fraction(child) * (double)child->weight;
        weights += (double)child->weight;
    }
    return sum / weights;
}

bool mk_progress_is_done(const MkProgress *step)
{
    return step && step->finished;
}

gint64 mk_progress_started(const MkProgress *step)
{
    return step ? step->started : 0;
}
