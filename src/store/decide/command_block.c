/* Commands in pieces of memory: each alone is more than an allocator keeps at hand, and to have
 * it, wipe it and give it back took a tenth of the time of who drafts a batch. */
#include "store/decide/command_block.h"

#include "command_private.h"

#include <assert.h>
#include <stdlib.h>

/* Of a piece: some 128 KiB, which is no mapping of its own. */
enum { PIECE = 64 };

struct dbk_command_block {
    struct piece {
        struct piece *next;
        size_t used, size;
        struct dbk_command commands[];
    } * pieces;  /* the newest first, which alone has room */
    size_t left; /* to be handed out, of pieces that are not there yet */
};

struct dbk_command_block *dbk_command_block_create(size_t count)
{
    struct dbk_command_block *block = malloc(sizeof *block);

    if (block)
        *block = (struct dbk_command_block){NULL, count};
    return block;
}

static bool add_piece(struct dbk_command_block *block)
{
    size_t size = block->left < PIECE ? block->left : PIECE;
    struct piece *piece;

    assert(size > 0); /* else more are taken than were asked for */
    piece = malloc(sizeof *piece + size * sizeof *piece->commands);
    if (!piece)
        return false;
    piece->next = block->pieces;
    piece->used = 0;
    piece->size = size;
    block->pieces = piece;
    block->left -= size;
    return true;
}

struct dbk_command *dbk_command_block_take(struct dbk_command_block *block)
{
    const struct piece *piece = block->pieces;
    struct dbk_command *command;

    if ((!piece || piece->used == piece->size) && !add_piece(block))
        return NULL;
    command = &block->pieces->commands[block->pieces->used++];
    command_init(command);
    command->in_block = true;
    return command;
}

void dbk_command_block_destroy(struct dbk_command_block *block)
{
    struct piece *next;

    if (!block)
        return;
    for (struct piece *piece = block->pieces; piece; piece = next) {
        next = piece->next;
        for (size_t i = 0; i < piece->used; i++)
            command_finish(&piece->commands[i]);
        free(piece);
    }
    free(block);
}
