/* A plugin of QEMU: counts the instructions of one range of addresses, as functions are entered and in all, and finds the lowest
 * address of a range that is stored to. QEMU installs no header, so what is used of its interface (version 1 of
 * "QEMU TCG Plugins") is declared here.
 *
 * Arguments: out=FILE text=FIRST text=END stack=BOTTOM stack=TOP mark=ADDRESS ..., addresses in decimal.
 * Writes a line for each entry, its address and the count before; and one with the lowest address and the count in all.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
typedef void (*on_translation)(plugin_id id, void *block);
typedef void (*on_instruction)(unsigned cpu, void *data);
typedef void (*on_memory)(unsigned cpu, uint32_t access, uint64_t address, void *data);
typedef void (*on_end)(plugin_id id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, on_translation call);
void qemu_plugin_register_vcpu_insn_exec_cb(void *instruction, on_instruction call, int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(void *instruction, on_memory call, int flags, int kind, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, on_end call, void *data);
size_t qemu_plugin_tb_n_insns(const void *block);
void *qemu_plugin_tb_get_insn(const void *block, size_t i);
uint64_t qemu_plugin_insn_vaddr(const void *instruction);

int qemu_plugin_version = 1;
int qemu_plugin_install(plugin_id id, const void *info, int n, char **arguments);

enum { NO_REGISTERS = 0, WRITES = 2, MOST_MARKS = 8 };

static uint64_t text[2], stack[2], marks[MOST_MARKS];
static unsigned texts, stacks, marked;
static uint64_t count, lowest = UINT64_MAX;
static FILE *output;

static void count_one(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    count++;
}

static void note_entry(unsigned cpu, void *data)
{
    (void)cpu;
    fprintf(output, "%" PRIu64 " %" PRIu64 "\n", *(uint64_t *)data, count);
}

static void note_store(unsigned cpu, uint32_t access, uint64_t address, void *data)
{
    (void)cpu;
    (void)access;
    (void)data;
    if (stack[0] <= address && address < stack[1] && address < lowest)
        lowest = address;
}

static void translated(plugin_id id, void *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        void *instruction = qemu_plugin_tb_get_insn(block, i);
        const uint64_t at = qemu_plugin_insn_vaddr(instruction);
        for (unsigned m = 0; m < marked; m++)
            if (marks[m] == at)
                qemu_plugin_register_vcpu_insn_exec_cb(instruction, note_entry, NO_REGISTERS, &marks[m]);
        if (text[0] <= at && at < text[1]) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, count_one, NO_REGISTERS, NULL);
            qemu_plugin_register_vcpu_mem_cb(instruction, note_store, NO_REGISTERS, WRITES, NULL);
        }
    }
}

static void finish(plugin_id id, void *data)
{
    (void)id;
    (void)data;
    fprintf(output, "%" PRIu64 " %" PRIu64 "\n", lowest, count);
    fclose(output);
}

int qemu_plugin_install(plugin_id id, const void *info, int n, char **arguments)
{
    (void)info;
    for (int i = 0; i < n; i++) {
        const char *value = strchr(arguments[i], '=') + 1;
        if (!strncmp(arguments[i], "out=", 4))
            output = fopen(value, "w");
        else if (!strncmp(arguments[i], "text=", 5) && texts < 2)
            text[texts++] = strtoull(value, NULL, 10);
        else if (!strncmp(arguments[i], "stack=", 6) && stacks < 2)
            stack[stacks++] = strtoull(value, NULL, 10);
        else if (!strncmp(arguments[i], "mark=", 5) && marked < MOST_MARKS)
            marks[marked++] = strtoull(value, NULL, 10);
        else
            return 1;
    }
    if (output == NULL || texts != 2 || stacks != 2)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
