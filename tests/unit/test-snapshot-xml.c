/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The XML of a snapshot, as it is asked for and as it is read. */

#include "snapshot-xml.h"

#include "rows-text.h"

static void
assert_read(const char *xml, const char *expected)
{
    g_auto(RowBuilder) rows = {0};
    uint64_t created;

    row_builder_begin(&rows);
    g_assert_true(snapshot_xml_read(xml, &created, &rows));
    row_builder_end(&rows);
    g_autofree char *text = rows_text(row_builder_rows(&rows));
    g_assert_cmpstr(text, ==, expected);
}

static void
test_read(void)
{
    g_auto(RowBuilder) rows = {0};
    uint64_t created;

    assert_read("<domainsnapshot><name>b</name><description>two &lt;</description>"
                "<parent><name>a</name></parent><state>running</state>"
                "<creationTime>1700000000</creationTime><memory snapshot='internal'/>"
                "<disks><disk name='vda' snapshot='internal'/></disks></domainsnapshot>",
                "parent=a, description=two <, state=running, created=1700000000000000, "
                "external=0, memory=1");
    assert_read("<domainsnapshot><state>disk-snapshot</state><memory snapshot='no'/>"
                "<disks><disk name='vda' snapshot='no'/><disk name='vdb' snapshot='external'/>"
                "</disks></domainsnapshot>",
                "state=disk-snapshot, created=0, external=1, memory=0");
    assert_read("<domainsnapshot><memory snapshot='external' file='/m'/>"
                "<creationTime>99999999999999999999</creationTime></domainsnapshot>",
                "created=18446744073709000000, external=1, memory=1");
    g_assert_false(snapshot_xml_read("<domain/>", &created, &rows));
    g_assert_false(snapshot_xml_read("<domainsnapshot>", &created, &rows));
}

static void
test_new(void)
{
    const char *const skipped[] = {"vdb", "v'c", NULL};
    g_autofree char *plain = snapshot_xml_new(&(SnapshotSpec){.name = "a<b"});
    g_autofree char *full = snapshot_xml_new(&(SnapshotSpec){
        .name = "a", .description = "d", .memory_file = "/m&m", .skipped_disks = skipped});

    g_assert_cmpstr(plain, ==,
                    "<domainsnapshot><name>a&lt;b</name><description></description>"
                    "</domainsnapshot>");
    g_assert_cmpstr(full, ==,
                    "<domainsnapshot><name>a</name><description>d</description>"
                    "<memory snapshot='external' file='/m&amp;m'/>"
                    "<disks><disk name='vdb' snapshot='no'/><disk name='v&apos;c' snapshot='no'/>"
                    "</disks></domainsnapshot>");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snapshot-xml/read", test_read);
    g_test_add_func("/snapshot-xml/new", test_new);
    return g_test_run();
}
