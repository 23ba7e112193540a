/* The plan that brings a ROM onto a phone, in the three scenes (spec behaviour.md 4.2–4.4, 5.1). */
#include "flash/plan-internal.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "flash/evidence.h"

#include <string.h>

typedef struct {
    MkSession *session;
    MkRom *rom;
    MkScene scene;
    MkLayoutPolicy policy;
    const MkConsent *consent;
    MkPlan *plan;
    MkLayout *load;        /* the ROM's, resolved */
    const MkLayout *phone; /* the phone's, or NULL */
    bool tables;           /* the plan writes the load's table */
    bool moves;            /* … and partitions change place */
    bool loses;            /* … that of user data among them */
    bool blank;
} Draft;

/* --- what does the phone have? ------------------------------------------------------------------------------------- */

/* A chain of MBR and EBRs tells nothing of raw partitions. If the phone's sectors are what the load's layout would write, the layouts
 * are the same. */
static bool mbr_agrees(Draft *draft, bool *agrees, GError **error)
{
    g_autoptr(GPtrArray) patches = mk_mbr_encode(draft->load, &draft->session->agent->info.geometry, NULL);
    *agrees = patches != NULL;
    for (guint i = 0; patches && i < patches->len && *agrees; i++) {
        const MkPatch *patch = patches->pdata[i];
        gsize length;
        const void *data = g_bytes_get_data(patch->data, &length);
        g_autofree uint8_t *there = g_malloc(length);
        MkStore *store = mk_session_store(draft->session, patch->region, error);
        if (!store || !mk_store_read(store, patch->offset, there, length, draft->session->cancel, error))
            return false;
        *agrees = !memcmp(there, data, length);
    }
    return true;
}

static bool find_phone_layout(Draft *draft, GError **error)
{
    MkSession *session = draft->session;
    draft->phone = session->layout;
    if (!session->layout)
        return mk_session_is_blank(session, draft->load, &draft->blank, error);
    if (session->layout->kind != MK_LAYOUT_MBR)
        return true;
    bool agrees;
    if (!mbr_agrees(draft, &agrees, error))
        return false;
    if (agrees)
        draft->phone = draft->load;
    return true;
}

/* --- which layout? ------------------------------------------------------------------------------------------------- */

static bool touches_selected(Draft *draft, const MkDiff *diff)
{
    const MkRomItem *item = mk_rom_find(draft->rom, diff->name);
    return item && item->selected;
}

/* An MBR names nothing: user data must be feared for. */
static bool moves_user_data(Draft *draft, const MkDiff *diff)
{
    return draft->phone->kind == MK_LAYOUT_MBR || (diff->before && mk_partition_class(diff->before) == MK_CLASS_USER);
}

static bool fault_no_table(Draft *draft, GError **error)
{
    if (draft->scene == MK_SCENE_UPGRADE)
        mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 8045, "FT_UPGRADE_GET_PMT_FAIL",
                            _("Firmware Upgrade could not be executed without PMT: the phone's list of partitions "
                              "cannot be read, and an upgrade needs it in order to "
                              "know what to carry over."));
    else
        mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
                            _("The phone has no readable partition table, but its storage is not blank: writing "
                              "blindly could destroy what must survive."));
    return false;
}

static bool decide_without_table(Draft *draft, GError **error)
{
    if (!draft->blank && draft->policy != MK_LAYOUT_CHANGE && draft->scene != MK_SCENE_FORMAT_ALL)
        return fault_no_table(draft, error);
    if (draft->scene == MK_SCENE_UPGRADE && draft->policy != MK_LAYOUT_CHANGE)
        return fault_no_table(draft, error);
    draft->tables = true;
    mk_plan_note(
        draft->plan,
        draft->blank
            ? _("The storage is blank; the load's table is written.")
            : _("The phone has no readable table; the load's table is written, data that is in its place stays."));
    return true;
}

static bool fault_layout(Draft *draft, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < draft->plan->diffs->len; i++)
        g_string_append_printf(list, "\n  %s", (const char *)draft->plan->diffs->pdata[i]);
    mk_fault_set_number(error, MK_FAULT_LAYOUT, 8502, "ERROR_ROM_MUST_ENABLE",
                        _("The phone's layout is not the load's:%s"), list->str);
    return false;
}

static bool decide_layout(Draft *draft, GError **error)
{
    if (!draft->phone)
        return decide_without_table(draft, error);
    g_autoptr(GPtrArray) diffs = mk_layout_compare(draft->phone, draft->load);
    bool selected = false, user = false;
    for (guint i = 0; i < diffs->len; i++) {
        const MkDiff *diff = diffs->pdata[i];
        if (diff->kind == MK_DIFF_SAME)
            continue;
        g_ptr_array_add(draft->plan->diffs, mk_diff_text(diff));
        selected = selected || touches_selected(draft, diff);
        user = user || moves_user_data(draft, diff);
    }
    bool differ = draft->plan->diffs->len != 0;
    if (draft->scene == MK_SCENE_FORMAT_ALL || (differ && draft->policy == MK_LAYOUT_CHANGE) ||
        (differ && draft->scene == MK_SCENE_UPGRADE && draft->policy != MK_LAYOUT_KEEP)) {
        draft->tables = true;
        draft->moves = differ;
        draft->loses = user;
        return true;
    }
    if (differ && draft->policy == MK_LAYOUT_ASK && selected)
        return fault_layout(draft, error);
    if (differ)
        mk_plan_note(draft->plan, _("The phone keeps its own layout; images are written by name where they fit."));
    else if (draft->session->mbr && draft->session->mbr->primary != MK_COPY_GOOD && mk_layout_find(draft->load, "mbr"))
        draft->tables = true; /* the PMT agrees, but the kernel reads the MBR */
    return true;
}

/* --- does it fit? -------------------------------------------------------------------------------------------------- */

static MkFault fault_of_finding(const char *id)
{
    static const struct {
        const char *prefix;
        MkFault fault;
    } map[] = {{"I-CHIP", MK_FAULT_CHIP},           {"P-STORAGE", MK_FAULT_STOR_MISMATCH},
               {"P-FLASHEND", MK_FAULT_STOR_SMALL}, {"P-SIZE", MK_FAULT_IMAGE_SIZE},
               {"P-FS-SIZE", MK_FAULT_IMAGE_SIZE},  {"P-NAND", MK_FAULT_STOR_MISMATCH},
               {"F-MISSING", MK_FAULT_FILE},        {"F-EMPTY", MK_FAULT_FILE},
               {"P-OVERLAP", MK_FAULT_SCATTER},     {"S-SCATTER", MK_FAULT_SCATTER}};
    for (gsize i = 0; i < G_N_ELEMENTS(map); i++)
        if (g_str_has_prefix(id, map[i].prefix))
            return map[i].fault;
    return MK_FAULT_IMAGE_KIND;
}

static const char *symbol_of_fault(MkFault fault, uint32_t *number)
{
    *number = fault == MK_FAULT_CHIP            ? 3184
              : fault == MK_FAULT_STOR_MISMATCH ? 3183
              : fault == MK_FAULT_IMAGE_SIZE    ? 1011
                                                : 0;
    return fault == MK_FAULT_CHIP            ? "S_CHIP_TYPE_NOT_MATCH"
           : fault == MK_FAULT_STOR_MISMATCH ? "S_STORAGE_NOT_MATCH"
           : fault == MK_FAULT_IMAGE_SIZE    ? "S_NOT_ENOUGH_STORAGE_SPACE"
                                             : NULL;
}

static bool finding_matters(Draft *draft, const MkFinding *finding)
{
    if (finding->severity < MK_SEVERITY_DANGER || g_str_has_prefix(finding->id, "D-") ||
        !strcmp(finding->id, "P-TABLE"))
        return false; /* identity and layout have gates of their own */
    const MkRomItem *item = finding->partition ? mk_rom_find(draft->rom, finding->partition) : NULL;
    return !item || item->selected;
}

static bool judge_findings(Draft *draft, GError **error)
{
    for (guint i = 0; i < draft->plan->findings->len; i++) {
        const MkFinding *finding = draft->plan->findings->pdata[i];
        if (!finding_matters(draft, finding))
            continue;
        if (!finding->partition && !strcmp(finding->id, "I-PROJECT-PHONE")) {
            /* Not one image but the whole ROM is for another board (spec behaviour.md 3.6). */
            mk_plan_gate(draft->plan, MK_GATE_MISMATCH, NULL, "%s %s", finding->message, finding->advice);
            continue;
        }
        if (finding->severity == MK_SEVERITY_DANGER) {
            mk_plan_gate(draft->plan, MK_GATE_DANGER, finding->id, "%s", finding->message);
            continue;
        }
        if (draft->consent->mismatch) {
            mk_plan_gate(draft->plan, MK_GATE_MISMATCH, NULL, "%s", finding->message);
            continue;
        }
        MkFault fault = fault_of_finding(finding->id);
        uint32_t number;
        const char *symbol = symbol_of_fault(fault, &number);
        mk_fault_set_number(error, fault, number, symbol, "%s%s%s", finding->message, finding->advice ? " " : "",
                            finding->advice ? finding->advice : "");
        return false;
    }
    return true;
}

static void untick(Draft *draft, MkRomItem *item, const char *why)
{
    item->selected = false;
    mk_plan_note(draft->plan, _("%s is left alone: %s"), item->partition->name, why);
}

/* What must not be written without OF. */
static void untick_companions(Draft *draft, const char *of)
{
    for (guint i = 0; i < draft->rom->items->len; i++) {
        MkRomItem *item = draft->rom->items->pdata[i];
        g_autofree char *name = mk_partition_base(item->partition->name);
        if (item->selected && mk_rom_is_companion(of, name))
            untick(draft, item, _("it belongs to the preloader, which stays."));
    }
}

/* A preloader of another board makes the phone start no more; user data is lost only on request; tables follow the layout decision. */
static void untick_unasked(Draft *draft)
{
    for (guint i = 0; i < draft->rom->items->len; i++) {
        MkRomItem *item = draft->rom->items->pdata[i];
        if (!item->selected)
            continue;
        MkClass klass = mk_partition_class(item->partition);
        const char *own = draft->session->preloader_project, *loads = draft->rom->claims.preloader_project;
        bool preloader = item->content == MK_CONTENT_PRELOADER || item->content == MK_CONTENT_PRELOADER_BOOT_HEADER;
        if (preloader && own && loads && g_ascii_strcasecmp(own, loads) && draft->scene != MK_SCENE_FORMAT_ALL) {
            untick(draft, item,
                   _("the phone's own preloader belongs to another board than the ROM's. `medik write preloader "
                     "FILE` writes it all the same."));
            untick_companions(draft, "preloader");
        } else if (preloader && draft->session->agent->info.storage == MK_STORAGE_NAND)
            untick(draft, item, _("the phone's own preloader stays."));
        else if (klass == MK_CLASS_USER && !draft->consent->erase_user_data && draft->scene != MK_SCENE_FORMAT_ALL)
            item->selected = false; /* said when it is known whether the partition moves */
        else if (klass == MK_CLASS_TABLE)
            item->selected = false;
    }
}

/* --- identity ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const MkPartition *from, *to;
} Move;

static bool is_kept(const MkPartition *partition)
{
    MkClass klass = mk_partition_class(partition);
    return klass == MK_CLASS_IDENTITY || klass == MK_CLASS_SECURITY;
}

static GArray *find_moves(Draft *draft)
{
    GArray *moves = g_array_new(FALSE, FALSE, sizeof(Move));
    for (guint i = 0; draft->phone && i < draft->load->partitions->len; i++) {
        const MkPartition *to = draft->load->partitions->pdata[i], *from = mk_layout_find(draft->phone, to->name);
        if (is_kept(to) && from && from->size &&
            (from->region != to->region || from->start != to->start || from->size != to->size))
            g_array_append_val(moves, ((Move){from, to}));
    }
    return moves;
}

/* A table written by a wrong ROM lies about where identity is. Both places of everything that would move are looked at; the side with
 * more evidence wins for all of them. */
static bool table_lies(Draft *draft, const GArray *moves, bool *lies, GError **error)
{
    int table = 0, load = 0;
    for (guint i = 0; i < moves->len; i++) {
        const Move *move = &g_array_index(moves, Move, i);
        g_autofree char *name = mk_partition_canonical(move->to->name);
        MkEvidence there, here;
        MkStore *from = mk_session_partition_store(draft->session, move->from, error);
        MkStore *to = from ? mk_session_partition_store(draft->session, move->to, error) : NULL;
        if (!to || !mk_evidence_look(name, from, move->from->start, move->from->size, &there, NULL, error) ||
            !mk_evidence_look(name, to, move->to->start, move->to->size, &here, NULL, error))
            return false;
        /* What is proven counts more than anything that merely has content. */
        table += there == MK_EVIDENCE_PROVEN ? 100 : (int)there;
        load += here == MK_EVIDENCE_PROVEN ? 100 : (int)here;
    }
    *lies = load > table;
    return true;
}

static const MkIdentityFile *saved_file(Draft *draft, const char *name, bool candidate)
{
    const MkIdentitySet *set = draft->session->identity;
    for (guint i = 0; set && i < set->files->len; i++) {
        const MkIdentityFile *file = set->files->pdata[i];
        if (!strcmp(file->name, name) && file->candidate == candidate && file->sha256)
            return file;
    }
    return NULL;
}

static void add_restore(Draft *draft, const MkPartition *to, const char *name, bool candidate, const char *reason)
{
    const MkIdentityFile *file = saved_file(draft, name, candidate);
    if (!file && !draft->consent->dry_run) {
        mk_plan_note(draft->plan, _("%s was not saved and cannot be put back."), to->name);
        return;
    }
    MkStep *step = mk_plan_add(draft->plan, MK_STEP_RESTORE, to->name, to->region, to->start, to->size);
    step->klass = mk_partition_class(to);
    step->path = g_strdup(file ? file->path : "identity set");
    step->sha256 = file ? g_strdup(file->sha256) : NULL;
    step->reason = g_strdup(reason);
}

static bool tail_is_blank(Draft *draft, const Move *move, bool *blank, GError **error)
{
    MkStore *store = mk_session_partition_store(draft->session, move->from, error);
    uint64_t at = move->to->size, end = move->from->size;
    g_autofree uint8_t *data = g_malloc(1 << 20);
    for (*blank = true; store && *blank && at < end;) {
        size_t piece = MIN(end - at, 1 << 20);
        if (!mk_store_read(store, move->from->start + at, data, piece, draft->session->cancel, error))
            return false;
        *blank = mk_is_blank(data, piece);
        at += piece;
    }
    return store != NULL;
}

static bool carry_one(Draft *draft, const Move *move, GError **error)
{
    g_autofree char *name = mk_partition_canonical(move->to->name);
    bool blank = true;
    if (move->to->size < move->from->size && !tail_is_blank(draft, move, &blank, error))
        return false;
    if (!blank) {
        mk_fault_set_number(
            error, MK_FAULT_LAYOUT, 8504, "ERROR_DATA_LOST",
            _("%s would shrink from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " bytes and lose content."),
            move->from->name, move->from->size, move->to->size);
        return false;
    }
    if (move->to->size > move->from->size || move->to->start != move->from->start) {
        MkStep *erase =
            mk_plan_add(draft->plan, MK_STEP_ERASE, move->to->name, move->to->region, move->to->start, move->to->size);
        erase->klass = mk_partition_class(move->to);
        erase->reason = g_strdup(_("its new place, before its saved content goes there"));
        add_restore(draft, move->to, name, false, _("carried over to its new place"));
    }
    return true;
}

/* Identity in a layout that changes. */
static bool carry_identity(Draft *draft, GError **error)
{
    g_autoptr(GArray) moves = find_moves(draft);
    bool lies = false;
    if (!moves->len)
        return true;
    if (!table_lies(draft, moves, &lies, error))
        return false;
    if (lies) {
        mk_plan_note(draft->plan, _("The phone's table lies: identity content was found where this load expects it, "
                                    "not where the table says. It stays untouched."));
        return true;
    }
    for (guint i = 0; i < moves->len; i++)
        if (!carry_one(draft, &g_array_index(moves, Move, i), error))
            return false;
    return true;
}

/* Format All erased everything: what was saved goes back by name; what the table did not name, from the load's own places. */
static void restore_all(Draft *draft)
{
    for (guint i = 0; i < draft->load->partitions->len; i++) {
        const MkPartition *to = draft->load->partitions->pdata[i];
        if (!is_kept(to))
            continue;
        g_autofree char *name = mk_partition_canonical(to->name);
        bool named = draft->phone && mk_layout_find(draft->phone, to->name);
        const MkIdentityFile *file = saved_file(draft, name, !named);
        if (draft->consent->dry_run || (file && file->length <= to->size))
            add_restore(draft, to, name, !named, _("put back after the erase"));
    }
}

/* --- steps --------------------------------------------------------------------------------------------------------- */

static int write_group(const MkRomItem *item)
{
    MkClass klass = mk_partition_class(item->partition);
    if (item->inner == MK_CONTENT_VENDOR_BOOT)
        return 1;
    if (item->content == MK_CONTENT_PRELOADER || item->content == MK_CONTENT_PRELOADER_BOOT_HEADER)
        return 3;
    if (klass == MK_CLASS_BOOT)
        return 2;
    return item->inner == MK_CONTENT_BOOT || item->inner == MK_CONTENT_MTK_HEADER ? 1 : 0;
}

static const MkPartition *place_of(Draft *draft, const MkRomItem *item)
{
    const MkLayout *layout = draft->tables || !draft->phone ? draft->load : draft->phone;
    const MkPartition *place = mk_layout_find(layout, item->partition->name);
    /* Boot regions stand in no table of the phone. */
    if (!place)
        place = mk_layout_find(draft->load, item->partition->name);
    return place && (layout == draft->load || mk_region_is_boot(place->region) || mk_layout_find(layout, place->name))
               ? place
               : NULL;
}

static bool add_item(Draft *draft, const MkRomItem *item, GError **error)
{
    const MkPartition *place = place_of(draft, item);
    if (!place) {
        mk_plan_note(draft->plan, _("%s is not written: the phone's table has no such partition."),
                     item->partition->name);
        return true;
    }
    MkClass klass = mk_partition_class(place);
    if (klass == MK_CLASS_USER || klass == MK_CLASS_IDENTITY || klass == MK_CLASS_SECURITY)
        mk_plan_gate_class(draft->plan, place, false);
    if (draft->scene == MK_SCENE_UPGRADE && write_group(item) < 2 &&
        draft->session->agent->info.storage != MK_STORAGE_NAND) {
        MkStep *erase = mk_plan_add(draft->plan, MK_STEP_ERASE, place->name, place->region, place->start, place->size);
        erase->klass = klass;
        erase->reason = g_strdup(_("a firmware upgrade begins with an empty partition"));
    }
    return mk_plan_add_image(draft->plan, draft->session, place, item->path, item->sha256, error) != NULL;
}

static bool add_images(Draft *draft, GError **error)
{
    for (int group = 0; group <= 3; group++)
        for (guint i = 0; i < draft->rom->items->len; i++) {
            const MkRomItem *item = draft->rom->items->pdata[i];
            if (item->selected && write_group(item) == group && !add_item(draft, item, error))
                return false;
        }
    return true;
}

static void list(GString *names, const char *name)
{
    g_string_append_printf(names, "%s%.*s", names->len ? ", " : "", (int)strlen(name) - 2, name);
}

/* A pair of slots is one thing to the owner: the plan says whether both are new or one stays as it is. */
static void note_slots(Draft *draft)
{
    g_autoptr(GString) both = g_string_new(NULL), only_a = g_string_new(NULL), only_b = g_string_new(NULL);
    for (guint i = 0; i < draft->rom->items->len; i++) {
        const MkRomItem *item = draft->rom->items->pdata[i];
        const MkPartition *twin = mk_layout_twin(draft->rom->layout, item->partition);
        const MkRomItem *other = twin ? mk_rom_find(draft->rom, twin->name) : NULL;
        bool a = other && mk_layout_slot(draft->rom->layout, item->partition) == 'a';
        if (other && item->selected && (a || !other->selected))
            list(other->selected ? both : a ? only_a : only_b, item->partition->name);
    }
    if (both->len)
        mk_plan_note(draft->plan, _("Both slots (a and b) are written of: %s."), both->str);
    if (only_a->len)
        mk_plan_note(draft->plan, _("Only slot a is written of: %s. Slot b keeps what it has."), only_a->str);
    if (only_b->len)
        mk_plan_note(draft->plan, _("Only slot b is written of: %s. Slot a keeps what it has."), only_b->str);
}

static void add_undo_copies(Draft *draft)
{
    for (guint i = 0; i < draft->rom->items->len; i++) {
        const MkRomItem *item = draft->rom->items->pdata[i];
        const MkPartition *place = item->selected ? place_of(draft, item) : NULL;
        if (place && mk_partition_class(place) == MK_CLASS_BOOT &&
            draft->session->agent->info.storage != MK_STORAGE_NAND)
            mk_plan_add_undo(draft->plan, place);
    }
}

/* What the upgrade scene erases besides: hidden partitions that are neither identity nor security (SP Flash Tool erases those too). */
static void add_upgrade_erases(Draft *draft)
{
    for (guint i = 0; i < draft->load->partitions->len; i++) {
        const MkPartition *partition = draft->load->partitions->pdata[i];
        MkClass klass = mk_partition_class(partition);
        if (partition->operation != MK_OP_INVISIBLE || klass != MK_CLASS_SYSTEM || !partition->size ||
            partition->region != mk_geometry_main_region(&draft->session->agent->info.geometry))
            continue;
        MkStep *step = mk_plan_add(draft->plan, MK_STEP_ERASE, partition->name, partition->region, partition->start,
                                   partition->size);
        step->klass = klass;
        step->reason = g_strdup(_("left over from the old firmware"));
    }
}

/* The preloader of a NAND stays: Medik cannot write it. */
static bool add_format_all(Draft *draft, GError **error)
{
    static const MkRegion regions[] = {MK_REGION_GP1,  MK_REGION_GP2, MK_REGION_GP3, MK_REGION_GP4,
                                       MK_REGION_USER, MK_REGION_LU2, MK_REGION_NAND};
    for (gsize i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint64_t end = mk_plan_erase_end(draft->session, regions[i]), from = 0;
        bool nand = regions[i] == MK_REGION_NAND;
        if (!end)
            continue;
        if (nand && !mk_plan_behind_preloader(draft->phone ? draft->phone : draft->load, &from, error))
            return false;
        MkStep *step =
            mk_plan_add(draft->plan, MK_STEP_ERASE, mk_region_name(regions[i]), regions[i], from, end - MIN(from, end));
        step->klass = MK_CLASS_USER;
        step->reason = g_strdup(nand ? _("Format All; the preloader stays") : _("Format All"));
    }
    if (draft->blank)
        return true;
    mk_plan_gate(draft->plan, MK_GATE_IDENTITY, NULL,
                 draft->consent->no_restore
                     ? _("Everything on the phone is erased, and its identity (IMEI, calibration) is not put back.")
                     : _("Everything on the phone is erased. Its identity (IMEI, calibration) is put back afterwards "
                         "from the copy that was saved."));
    mk_plan_gate(draft->plan, MK_GATE_USER_DATA, NULL, _("All user data on the phone will be lost."));
    return true;
}

static bool require_complete(Draft *draft, GError **error)
{
    for (guint i = 0; i < draft->rom->items->len; i++) {
        const MkRomItem *item = draft->rom->items->pdata[i];
        MkClass klass = mk_partition_class(item->partition);
        if (item->partition->download && !item->path && (klass == MK_CLASS_BOOT || klass == MK_CLASS_SYSTEM)) {
            mk_fault_set(error, MK_FAULT_FILE, _("Format All needs a complete ROM, and partition %s has no image."),
                         item->partition->name);
            return false;
        }
    }
    return true;
}

static bool is_touched(const MkPlan *plan, const MkPartition *partition)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const MkStep *step = plan->steps->pdata[i];
        if (step->kind != MK_STEP_SAVE && mk_region_copy(step->region, 0) == mk_region_copy(partition->region, 0) &&
            step->offset < partition->start + partition->size && partition->start < step->offset + step->length)
            return true;
    }
    return false;
}

static bool has_fresh_user_data(Draft *draft)
{
    for (guint i = 0; i < draft->rom->items->len; i++) {
        const MkRomItem *item = draft->rom->items->pdata[i];
        if (item->path && !item->selected && mk_partition_class(item->partition) == MK_CLASS_USER)
            return true;
    }
    return false;
}

/* What the owner would miss most, and does not lose. */
static void note_left_alone(Draft *draft)
{
    const MkLayout *layout = draft->tables || !draft->phone ? draft->load : draft->phone;
    g_autoptr(GString) kept = g_string_new(NULL), user = g_string_new(NULL);
    if (draft->session->agent->info.storage == MK_STORAGE_NAND && draft->moves)
        return; /* where the agent puts its table is the agent's business */
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        const MkPartition *now = draft->phone ? mk_layout_find(draft->phone, partition->name) : NULL;
        bool is_user = mk_partition_class(partition) == MK_CLASS_USER;
        GString *names = is_user ? user : kept;
        if ((is_user && !draft->loses) || is_kept(partition))
            if (partition->resolved && partition->size && !is_touched(draft->plan, partition) &&
                !(now && is_touched(draft->plan, now)))
                g_string_append_printf(names, "%s%s", names->len ? ", " : "", partition->name);
    }
    if (kept->len)
        mk_plan_note(draft->plan, _("Left alone, identity and security: %s."), kept->str);
    if (user->len)
        mk_plan_note(draft->plan,
                     has_fresh_user_data(draft)
                         ? _("Left alone, user data: %s. With --erase-user-data it starts fresh.")
                         : _("Left alone, user data: %s."),
                     user->str);
}

static bool build_steps(Draft *draft, GError **error)
{
    bool format = draft->scene == MK_SCENE_FORMAT_ALL;
    if (format && !require_complete(draft, error))
        return false;
    note_slots(draft);
    add_undo_copies(draft);
    if (format && !add_format_all(draft, error))
        return false;
    if (draft->tables && !mk_plan_add_tables(draft->plan, draft->session, draft->load, error))
        return false;
    if (format && !draft->consent->no_restore)
        restore_all(draft);
    else if (draft->moves && !format && !carry_identity(draft, error))
        return false;
    if (draft->loses && !format)
        mk_plan_gate(draft->plan, MK_GATE_USER_DATA, NULL,
                     _("The partition of user data moves with the layout: user data will be lost."));
    if (draft->scene == MK_SCENE_UPGRADE)
        add_upgrade_erases(draft);
    if (!add_images(draft, error))
        return false;
    note_left_alone(draft);
    return true;
}

static void set_job(Draft *draft)
{
    g_autoptr(GString) files = g_string_new(NULL);
    for (guint i = 0; i < draft->rom->items->len; i++) {
        const MkRomItem *item = draft->rom->items->pdata[i];
        if (item->selected)
            g_string_append_printf(files, "%s=%s\n", item->partition->name, item->sha256);
    }
    g_autofree char *how = g_strdup_printf("flash scene %d policy %d restore %d", draft->scene, draft->policy,
                                           !draft->consent->no_restore);
    mk_plan_set_job(draft->plan, how, files->str, NULL);
}

static bool make(Draft *draft, GError **error)
{
    untick_unasked(draft);
    MkPhoneFacts facts = mk_session_facts(draft->session);
    if (!find_phone_layout(draft, error))
        return false;
    facts.layout = draft->phone;
    if (!mk_rom_check(draft->rom, &facts, draft->plan->findings, NULL, error) || !judge_findings(draft, error) ||
        !decide_layout(draft, error) ||
        !mk_plan_save_identity(draft->session, draft->load, draft->consent, draft->plan, error) ||
        !build_steps(draft, error))
        return false;
    mk_plan_gate_yes(draft->plan);
    return true;
}

static const char *scene_words(MkScene scene)
{
    return scene == MK_SCENE_UPGRADE ? _("Firmware Upgrade: new firmware, identity kept")
           : scene == MK_SCENE_FORMAT_ALL
               ? _("Format All + Download: erase everything, write everything, put the identity back")
               : _("Download Only: write the images of the ROM");
}

MkPlan *mk_plan_flash(MkSession *session, MkRom *rom, MkScene scene, MkLayoutPolicy policy, const MkConsent *consent,
                      GError **error)
{
    g_autoptr(MkLayout) load = mk_plan_resolve_load(session, rom->layout, error);
    if (!load)
        return NULL;
    g_autoptr(MkPlan) plan = mk_plan_new(scene_words(scene), session->id);
    Draft draft = {.session = session,
                   .rom = rom,
                   .scene = scene,
                   .policy = policy,
                   .consent = consent,
                   .plan = plan,
                   .load = load};
    set_job(&draft);
    MkPlan *kept;
    if (mk_plan_continue(session, plan, consent, &kept, error))
        return kept;
    return make(&draft, error) ? g_steal_pointer(&plan) : NULL;
}
