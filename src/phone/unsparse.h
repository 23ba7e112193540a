/* A sparse image on its way into the storage: borders of packets and of chunks have nothing to do with each other. */
#pragma once

#include "phone/chip.h"

typedef enum {
    MK_UNSPARSE_FILE_HEAD,
    MK_UNSPARSE_CHUNK_HEAD,
    MK_UNSPARSE_RAW,
    MK_UNSPARSE_FILL,
    MK_UNSPARSE_CRC,
    MK_UNSPARSE_END
} MkUnsparseState;

/* Where the expanded data go: TARGET is the caller's, ADDRESS counts from what the image began with. */
typedef MkChipResult (*MkUnsparseStore)(void *target, uint64_t address, const uint8_t *data, size_t length);

typedef struct {
    MkUnsparseStore store;
    void *target;
    MkUnsparseState state;
    uint64_t address, left;
    uint32_t block, chunks;
    uint16_t chunk_head;
    unsigned have, need;
    bool strange; /* a chunk of no known kind */
    uint8_t head[28];
} MkUnsparse;

bool mk_unsparse_recognises(const uint8_t *data, size_t length);
void mk_unsparse_begin(MkUnsparse *unsparse, uint64_t address, MkUnsparseStore store, void *target);
/* The next bytes of the file. What STORE said, or FAILED for a file that is none. Bytes behind the last chunk are passed over. */
MkChipResult mk_unsparse_feed(MkUnsparse *unsparse, const uint8_t *data, size_t length);
